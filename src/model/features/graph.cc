#include "model/features/graph.h"

#include "model/batch.h"
#include "model/features/program.h"

namespace rondo::model {
namespace {

class PlanGraph : public FeatureGraph {
 public:
  explicit PlanGraph(Plan plan) : plan_(std::move(plan)), columns_(ColumnsOf(plan_)), program_(plan_) {}

  const std::vector<InputColumn>& inputs() const override { return plan_.inputs; }
  const std::vector<std::string>& names() const override { return columns_.names; }
  const std::vector<size_t>& sources() const override { return columns_.sources; }
  Json ToJson() const override { return PlanToJson(plan_); }

  Result<Matrix> Transform(const table::Frame& raw) const override {
    RONDO_TRY(const InputBatch batch, MakeBatch(plan_.inputs, raw));
    Matrix matrix;
    matrix.rows = batch.rows;
    matrix.cols = program_.width();
    matrix.values.resize(matrix.rows * matrix.cols);
    std::vector<float> values(program_.values());
    for (size_t r = 0; r < matrix.rows; ++r) program_.Run(batch, r, values.data(), matrix.values.data() + r * matrix.cols);
    return matrix;
  }

 private:
  Plan plan_;
  PlanColumns columns_;
  Program program_;
};

}  // namespace

std::unique_ptr<FeatureGraph> MakeFeatureGraph(Plan plan) { return std::make_unique<PlanGraph>(std::move(plan)); }

Result<std::unique_ptr<FeatureGraph>> FeaturesFromJson(const Json& json) {
  RONDO_TRY(Plan plan, PlanFromJson(json));
  return MakeFeatureGraph(std::move(plan));
}

}  // namespace rondo::model
