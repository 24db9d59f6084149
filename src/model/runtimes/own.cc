#include <algorithm>
#include <cmath>
#include <optional>

#include "model/features/program.h"
#include "model/onnx/fused.h"
#include "model/runtimes/ensemble.h"
#include "model/runtimes/runtime.h"

namespace rondo::model {
namespace {

// Scores what WriteOnnx wrote, without ONNX Runtime: the plan's program, then trees or a linear form, then the link in double.
class OwnScorer : public Scorer {
 public:
  OwnScorer(Signature signature, FusedModel fused, std::optional<Ensemble> trees)
      : Scorer(std::move(signature)), program_(fused.plan), trees_(std::move(trees)), base_(std::move(fused.model.base)),
        coefficients_(std::move(fused.model.coefficients)), link_(fused.model.link), linear_(fused.model.linear),
        binary_(fused.signature.task == project::Task::binary && fused.model.outputs == 1) {}

  std::string_view runtime() const override { return linear_ ? "linear" : "trees"; }

  Status Score(const InputBatch& batch, Scores& out) const override {
    RONDO_DO(program_.Check(batch));
    const size_t outputs = base_.size();
    out.width = binary_ ? 2 : outputs;
    out.values.resize(batch.rows * out.width);
    constexpr size_t kBlock = 64;
    thread_local std::vector<float> values, features, slots;
    thread_local std::vector<double> raw;
    auto grow = [](auto& v, size_t n) {
      if (v.size() < n) v.resize(n);
    };
    grow(values, program_.values());
    grow(features, program_.width());
    grow(slots, kBlock * (trees_ ? trees_->slots() : 0));
    grow(raw, kBlock * outputs);
    for (size_t begin = 0; begin < batch.rows; begin += kBlock) {
      const size_t count = std::min(kBlock, batch.rows - begin);
      std::fill_n(raw.data(), count * outputs, 0.0);
      for (size_t r = 0; r < count; ++r) {
        program_.Run(batch, begin + r, values.data(), features.data());
        if (trees_) trees_->Prepare(features.data(), slots.data() + r * trees_->slots());
        else if (linear_) AddLinear(features.data(), raw.data() + r * outputs);
      }
      if (trees_) trees_->Add(slots.data(), count, raw.data());
      for (size_t r = 0; r < count; ++r) Finish(raw.data() + r * outputs, out.values.data() + (begin + r) * out.width);
    }
    return {};
  }

 private:
  void AddLinear(const float* x, double* raw) const {
    const size_t n = program_.width();
    for (size_t k = 0; k < base_.size(); ++k) {
      const double* w = coefficients_.data() + k * n;
      double sum[4] = {};
      size_t i = 0;
      for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; ++j) sum[j] += static_cast<double>(x[i + j]) * w[i + j];
      for (; i < n; ++i) sum[0] += static_cast<double>(x[i]) * w[i];
      raw[k] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  }

  void Finish(double* raw, float* out) const {
    const size_t n = base_.size();
    for (size_t k = 0; k < n; ++k) raw[k] += static_cast<double>(base_[k]);
    switch (link_) {
      case Link::kLogistic: {
        const double p = 1 / (1 + std::exp(-raw[0]));
        out[0] = static_cast<float>(1 - p);
        out[1] = static_cast<float>(p);
        break;
      }
      case Link::kSoftmax: {
        const double most = *std::max_element(raw, raw + n);
        double sum = 0;
        for (size_t k = 0; k < n; ++k) sum += raw[k] = std::exp(raw[k] - most);
        for (size_t k = 0; k < n; ++k) out[k] = static_cast<float>(raw[k] / sum);
        break;
      }
      case Link::kIdentity: out[0] = static_cast<float>(raw[0]); break;
      case Link::kExp: out[0] = static_cast<float>(std::exp(raw[0])); break;
      case Link::kExpm1: out[0] = static_cast<float>(std::exp(raw[0]) - 1); break;
    }
  }

  Program program_;
  std::optional<Ensemble> trees_;
  std::vector<float> base_;
  std::vector<double> coefficients_;
  Link link_;
  bool linear_, binary_;
};

}  // namespace

Result<std::unique_ptr<Scorer>> LoadOwn(const LoadedModel& loaded, const Signature& signature) {
  RONDO_TRY(FusedModel fused, ReadFused(loaded.bytes, loaded.model));
  RONDO_DO(SameInterface(fused.signature, signature));
  std::optional<Ensemble> trees;
  if (!fused.model.trees.empty()) {
    size_t width = 0;
    for (const PlanBlock& block : fused.plan.blocks) width += BlockWidth(block);
    RONDO_TRY(trees, Ensemble::Make(fused.model, width));
  }
  return std::make_unique<OwnScorer>(signature, std::move(fused), std::move(trees));
}

}  // namespace rondo::model
