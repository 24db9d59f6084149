#include <algorithm>
#include <cmath>
#include <limits>

#include "model/train.h"

namespace rondo::model {
namespace {
constexpr double kTolerance = 1e-5;

double Difference(double a, double b, double scale) {
  if (std::isnan(a) && std::isnan(b)) return 0;
  if (a == b) return 0;  // equal infinities
  const double d = std::fabs(a - b) / scale;
  return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
}
}  // namespace

Result<ExportCheck> CheckExport(const std::filesystem::path& onnx, const Signature& signature, const table::Frame& raw, const std::vector<float>& native) {
  const size_t rows = raw.rows();
  const size_t width = signature.task == project::Task::regression ? 1 : signature.classes.size();
  // A binary learner may give P(positive) alone.
  const bool positive_only = signature.task == project::Task::binary && native.size() == rows;
  if (rows == 0 || native.size() != rows * (positive_only ? 1 : width))
    return Fail(Code::kInvalid, "the export check needs rows, and the learner's own scores of them: " + std::to_string(native.size()) + " scores for " + std::to_string(rows) + " rows");
  // Spread over the whole part, so that sorted data don't hide a branch.
  std::vector<size_t> picked(std::min<size_t>(rows, 4000));
  for (size_t i = 0; i < picked.size(); ++i) picked[i] = i * rows / picked.size();
  const table::Frame sample = raw.Take(picked);
  RONDO_TRY(const InputBatch batch, BatchFromFrame(signature, sample));

  ExportCheck check;
  check.rows = picked.size();
  // A value near 0 is a sum of terms as large as the others' values, in float32: its last bits are no more exact than theirs.
  double mean = 0;
  for (const float v : native)
    if (std::isfinite(v)) mean += std::fabs(static_cast<double>(v)) / static_cast<double>(native.size());
  const bool relative = signature.task == project::Task::regression;
  const auto compare = [&](const Scores& scores, std::string_view runtime, const auto& expected, const char* against) -> Status {
    for (size_t i = 0; i < picked.size(); ++i) {
      for (size_t k = 0; k < width; ++k) {
        const double got = static_cast<double>(scores.values[i * width + k]), want = expected(i, k);
        const double d = Difference(got, want, relative ? std::max({1.0, mean, std::fabs(want)}) : 1.0);
        check.max_difference = std::max(check.max_difference, d);
        if (d > kTolerance)
          return Fail(Code::kFailedCheck, "the exported model scores row " + std::to_string(picked[i]) + " as " + std::to_string(got) + " (" + std::string(runtime) + "), " + against + " as " + std::to_string(want) +
                                              ": a difference of " + std::to_string(d) + " is over 0.00001",
                      "the model is not used: report this with the data's shape and the algorithm");
      }
    }
    return {};
  };
  const auto learner = [&](size_t i, size_t k) {
    if (!positive_only) return static_cast<double>(native[picked[i] * width + k]);
    const auto p = static_cast<double>(native[picked[i]]);
    return k == 1 ? p : 1 - p;
  };
  RONDO_TRY(const std::unique_ptr<Scorer> ort, LoadScorer(onnx, signature, RuntimeChoice::kOnnxRuntime));
  Scores by_ort;
  RONDO_DO(ort->Score(batch, by_ort));
  RONDO_DO(compare(by_ort, ort->runtime(), learner, "the learner"));
  auto own = LoadScorer(onnx, signature, RuntimeChoice::kOwn);
  if (!own && own.error().code != Code::kUnsupported) return std::unexpected(own.error());
  if (own) {
    Scores by_own;
    RONDO_DO((*own)->Score(batch, by_own));
    RONDO_DO(compare(by_own, (*own)->runtime(), learner, "the learner"));
    RONDO_DO(compare(by_own, (*own)->runtime(), [&](size_t i, size_t k) { return static_cast<double>(by_ort.values[i * width + k]); }, "ONNX Runtime"));
    check.own_runtime = (*own)->runtime();
  }
  return check;
}

}  // namespace rondo::model
