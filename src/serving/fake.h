/// A model, a workspace and traffic for tests of serving: everything but the learner.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "model/scorer.h"
#include "serving/loaded_model.h"
#include "serving/rollout.h"
#include "serving/server.h"
#include "workspace/workspace.h"

namespace rondo::serving {

/// tenure (int), charge (float), active (bool), contract (category); key customer_id, target churn.
inline model::Signature ChurnSignature() {
  model::Signature s;
  s.task = project::Task::binary;
  s.target = "churn";
  s.key = "customer_id";
  s.inputs = {{"tenure", "int"}, {"charge", "float"}, {"active", "bool"}, {"contract", "category"}};
  s.classes = {"No", "Yes"};
  return s;
}

/// P(positive) = logistic(bias + slope * tenure / 10); missing tenure counts as 0.
class FakeScorer : public model::Scorer {
 public:
  struct Behaviour {
    double bias = 0, slope = -1;
    double fail_share = 0;     ///< of the calls
    bool nan = false;
    int64_t delay_ns = 0;
    const std::atomic<bool>* stall = nullptr;  ///< waits while it is true
  };
  FakeScorer(model::Signature signature, Behaviour behaviour) : Scorer(std::move(signature)), behaviour_(behaviour) {}
  Status Score(const model::InputBatch& batch, model::Scores& out) const override {
    while (behaviour_.stall && behaviour_.stall->load()) {
    }
    const uint64_t call = calls_.fetch_add(1);
    // The first calls are the warm-up.
    if (call >= 3 && behaviour_.fail_share > 0 && Random(call).Uniform() < behaviour_.fail_share) return Fail(Code::kInternal, "made to fail");
    if (behaviour_.delay_ns > 0) {
      const int64_t until = MonotonicNs() + behaviour_.delay_ns;
      while (MonotonicNs() < until) {
      }
    }
    out.width = signature_.task == project::Task::regression ? 1 : signature_.classes.size();
    out.values.assign(batch.rows * out.width, 0);
    for (size_t r = 0; r < batch.rows; ++r) {
      const float tenure = batch.numbers.empty() || batch.numbers[0].empty() ? 0.0f : batch.numbers[0][r];
      const double z = behaviour_.bias + behaviour_.slope * (std::isnan(tenure) ? 0 : static_cast<double>(tenure)) / 10;
      const auto p = static_cast<float>(behaviour_.nan && call >= 3 ? std::nan("") : 1 / (1 + std::exp(-z)));
      if (out.width == 1) {
        out.values[r] = p;
        continue;
      }
      for (size_t k = 0; k + 1 < out.width; ++k) out.values[r * out.width + k] = (1 - p) / static_cast<float>(out.width - 1);
      out.values[(r + 1) * out.width - 1] = p;
    }
    return {};
  }
  std::string_view runtime() const override { return "fake"; }

 private:
  Behaviour behaviour_;
  mutable std::atomic<uint64_t> calls_{0};
};

inline std::shared_ptr<const LoadedModel> FakeModel(int64_t version, FakeScorer::Behaviour behaviour = {}, model::Signature signature = ChurnSignature()) {
  return *LoadedModel::Make("churn", version, std::make_unique<FakeScorer>(std::move(signature), behaviour));
}

/// Keeps what the request path hands over.
class ListRecorder : public Recorder {
 public:
  void Put(const std::shared_ptr<Endpoint>&, Record record) override { records.push_back(std::move(record)); }
  void Put(const std::shared_ptr<Endpoint>&, ShadowJob job) override { jobs.push_back(std::move(job)); }
  std::vector<Record> records;
  std::vector<ShadowJob> jobs;
};
class NoRecorder : public Recorder {
 public:
  void Put(const std::shared_ptr<Endpoint>&, Record) override {}
  void Put(const std::shared_ptr<Endpoint>&, ShadowJob) override {}
};

inline std::string OipRow(double tenure, const std::string& contract = "One year") {
  return fmt::format(R"({{"inputs":[{{"name":"tenure","shape":[1],"datatype":"INT64","data":[{}]}},{{"name":"charge","shape":[1],"datatype":"FP32","data":[70.5]}},)"
                     R"({{"name":"active","shape":[1],"datatype":"BOOL","data":[true]}},{{"name":"contract","shape":[1],"datatype":"BYTES","data":["{}"]}}]}})",
                     static_cast<int64_t>(tenure), contract);
}

/// A data folder with versions whose behaviour is made up, a server that only moves when told, and a clock that does too.
class Rehearsal {
 public:
  explicit Rehearsal(ServerOptions options = {}) : options_(std::move(options)) {
    workspace_ = std::move(*workspace::Workspace::Open(dir_.path() / "data", clock_));
    options_.threads = false;
    options_.loader = [this](const registry::Version& v) -> Result<std::shared_ptr<const LoadedModel>> {
      const auto it = behaviours_.find(v.version);
      if (it == behaviours_.end()) return Fail(Code::kFailedCheck, "no such fake");
      return FakeModel(v.version, it->second.first, it->second.second);
    };
  }
  workspace::Workspace& workspace() { return *workspace_; }
  FakeClock& clock() { return clock_; }
  Server& server() { return *server_; }
  int64_t AddVersion(FakeScorer::Behaviour behaviour, model::Signature signature = ChurnSignature()) {
    (void)workspace_->registry().EnsureModel("churn");
    registry::Version v;
    v.name = "churn";
    v.user_id = "anna";
    v.digest = fmt::format("{:064x}", ++made_);
    const int64_t number = workspace_->registry().CreateVersion(v)->version;
    behaviours_[number] = {behaviour, std::move(signature)};
    return number;
  }
  void StartServer() {
    server_.reset();
    server_ = std::move(*Server::Start(*workspace_, options_));
  }
  void StopServer() { server_.reset(); }
  Result<Rollout> Deploy(int64_t version, project::Deploy deploy, std::vector<project::Approval> approvals = {}) {
    RolloutRequest request;
    request.endpoint = "churn";
    request.model = "churn";
    request.version = version;
    deploy.endpoint = "churn";
    request.deploy = std::move(deploy);
    request.approvals = std::move(approvals);
    request.actor = "anna";
    request.check = false;
    return StartRollout(*workspace_, request);
  }
  /// Requests with fresh keys; a round of the server after every 25. Returns how many failed.
  int Traffic(int requests, int64_t ms_each = 10) {
    int failed = 0;
    for (int i = 0; i < requests; ++i) {
      const auto endpoint = server_->Find("churn");
      const std::string key = fmt::format("k{}", sent_++);
      const std::string body = OipRow(static_cast<double>(random_.Below(72)));
      InferRequest request;
      request.body = body;
      request.key = key;
      failed += endpoint == nullptr || !endpoint->Infer(request);
      clock_.Advance(ms_each);
      if (i % 25 == 24) Round();
    }
    Round();
    return failed;
  }
  void Round() {
    server_->Flush();
    server_->Tick();
  }
  Rollout Newest() { return Rollouts(*workspace_, "churn", 1)->at(0); }
  int64_t Champion() { return workspace_->registry().VersionByAlias("churn", "champion")->version; }
  const fs::path& folder() const { return dir_.path(); }

 private:
  TempDir dir_;
  FakeClock clock_;
  ServerOptions options_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::map<int64_t, std::pair<FakeScorer::Behaviour, model::Signature>> behaviours_;
  std::unique_ptr<Server> server_;
  Random random_{11};
  int made_ = 0, sent_ = 0;
};

inline project::Gate Guard(const std::string& metric, double limit, bool champion = false, double factor = 1) {
  project::Gate gate;
  gate.text = fmt::format("{} <= {}", metric, limit);
  gate.metric = metric;
  gate.op = "<=";
  gate.limit = limit;
  gate.champion = champion;
  gate.factor = factor;
  return gate;
}

}  // namespace rondo::serving
