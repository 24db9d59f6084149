// Model files of other libraries that a user's stage hands back: XGBoost's JSON and LightGBM's text, scored where they parse.
#include <cmath>
#include <cstdint>
#include <string>

#include "model/learners/lightgbm_model.h"
#include "model/learners/tree_check.h"
#include "model/learners/xgboost_model.h"

namespace {
using namespace rondo::model;

void Score(const FittedModel& model) {
  size_t features = 1;
  for (const Tree& tree : model.trees)
    for (const TreeNode& node : tree.nodes) features = std::max(features, static_cast<size_t>(node.feature + 1));
  if (features > 10'000) return;
  Matrix x{2, features, std::vector<float>(2 * features, 0.5f)};
  for (size_t i = 0; i < features; i += 2) x.values[i] = std::nanf("");
  (void)EvaluateFitted(model, x);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto model = ParseXgboostModel(text, {})) Score(*model);
  if (const auto model = ParseLightgbmModel(text, {})) Score(*model);
  return 0;
}
