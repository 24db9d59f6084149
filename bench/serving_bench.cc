// One request of the churn data's shape (19 raw columns, 16 of them texts) through the endpoint: decode, deal, score, answer, record. The scorer is a
// stand-in that costs next to nothing, so this is what serving itself costs.
#include <benchmark/benchmark.h>

#include <limits>

#include "serving/endpoint.h"

namespace rondo::serving {
namespace {

class QuickScorer : public model::Scorer {
 public:
  using Scorer::Scorer;
  explicit QuickScorer(model::Signature s) : Scorer(std::move(s)) {}
  Status Score(const model::InputBatch& batch, model::Scores& out) const override {
    out.width = 2;
    out.values.assign(batch.rows * 2, 0.5f);
    return {};
  }
  std::string_view runtime() const override { return "stand-in"; }
};

class Drop : public Recorder {
 public:
  void Put(const std::shared_ptr<Endpoint>&, Record record) override { benchmark::DoNotOptimize(record.rows.data()); }
  void Put(const std::shared_ptr<Endpoint>&, ShadowJob) override {}
};

model::Signature MakeSignature() {
  model::Signature s;
  s.target = "churn";
  s.classes = {"No", "Yes"};
  for (int i = 0; i < 16; ++i) s.inputs.push_back({"some_column_" + std::to_string(i), "category"});
  for (int i = 0; i < 3; ++i) s.inputs.push_back({"charges_" + std::to_string(i), "float"});
  return s;
}

std::string Body(const model::Signature& s) {
  std::string out = R"({"inputs":[)";
  for (size_t i = 0; i < s.inputs.size(); ++i) {
    const bool text = s.inputs[i].type == "category";
    out += std::string(i ? "," : "") + R"({"name":")" + s.inputs[i].name + R"(","shape":[1],"datatype":")" + (text ? "BYTES" : "FP32") + R"(","data":[)" + (text ? R"("Month-to-month")" : "29.85") + "]}";
  }
  return out + "]}";
}

void OneRow(benchmark::State& state) {
  Drop recorder;
  const auto endpoint = std::make_shared<Endpoint>("churn", "churn", recorder, SystemClock());
  const model::Signature signature = MakeSignature();
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->variants.emplace_back("churn", Role::kChampion, *LoadedModel::Make("churn", 1, std::make_unique<QuickScorer>(signature)));
  if (state.range(0)) {
    Variant challenger("churn", Role::kChallenger, *LoadedModel::Make("churn", 2, std::make_unique<QuickScorer>(signature)));
    challenger.buckets = 1000;
    challenger.trial = std::make_shared<Arm>();
    snapshot->variants[0].trial = std::make_shared<Arm>();
    snapshot->variants.push_back(std::move(challenger));
    snapshot->salt = "rollout";
    snapshot->split = std::make_shared<Split>();
  }
  endpoint->Swap(snapshot);
  const std::string body = Body(signature);
  InferRequest request;
  request.body = body;
  request.key = "customer-4711";
  for (auto _ : state) {
    auto answer = endpoint->Infer(request);
    if (!answer) state.SkipWithError(answer.error().message.c_str());
    benchmark::DoNotOptimize(answer);
  }
}
BENCHMARK(OneRow)->ArgName("canary")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rondo::serving

BENCHMARK_MAIN();
