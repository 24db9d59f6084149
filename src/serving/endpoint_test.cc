// One request's life, hot swaps under load, and what a challenger or a shadow may never do to a caller.
#include "serving/endpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <thread>

#include "serving/assign.h"
#include "serving/fake.h"
#include "serving/recorder.h"

namespace rondo::serving {
namespace {

std::shared_ptr<Snapshot> Only(std::shared_ptr<const LoadedModel> model) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->variants.emplace_back("churn", Role::kChampion, std::move(model));
  return snapshot;
}
std::shared_ptr<Snapshot> Both(std::shared_ptr<const LoadedModel> champion, std::shared_ptr<const LoadedModel> other, Role role, double share) {
  auto snapshot = Only(std::move(champion));
  Variant& first = snapshot->variants[0];
  first.trial = std::make_shared<Arm>();
  Variant second("churn", role, std::move(other));
  second.trial = std::make_shared<Arm>();
  second.buckets = BucketsOf(share);
  second.same_inputs = second.model->columns().SameAs(first.model->columns());
  snapshot->variants.push_back(std::move(second));
  snapshot->salt = "salt";
  if (role == Role::kChallenger) snapshot->split = std::make_shared<Split>();
  return snapshot;
}

class EndpointTest : public testing::Test {
 protected:
  Result<Answer> Ask(const std::string& body, std::string_view key = "", Protocol protocol = Protocol::kOip, std::string_view version = "") {
    InferRequest request;
    request.protocol = protocol;
    request.body = body;
    request.key = key;
    request.version = version;
    return endpoint_->Infer(request);
  }
  ListRecorder recorder_;
  FakeClock clock_;
  std::shared_ptr<Endpoint> endpoint_ = std::make_shared<Endpoint>("churn", "churn", recorder_, clock_);
};

TEST_F(EndpointTest, AnswersAndRecordsOneRow) {
  EXPECT_EQ(Ask(OipRow(1)).error().code, Code::kUnavailable);
  endpoint_->Swap(Only(FakeModel(3)));
  auto answer = Ask(OipRow(20).insert(1, R"("id":"my id","parameters":{"key":"u1"},)"));
  ASSERT_TRUE(answer) << answer.error().message;
  auto json = ParseJson(answer->body);
  ASSERT_TRUE(json) << answer->body;
  EXPECT_EQ((*json)["model_name"].AsString(), "churn");
  EXPECT_EQ((*json)["model_version"].AsString(), "3");
  EXPECT_EQ((*json)["id"].AsString(), "my id");
  EXPECT_EQ((*json)["parameters"]["variant"].AsString(), "champion");
  EXPECT_EQ((*json)["parameters"]["prediction_id"].AsString(), answer->prediction_id);
  EXPECT_EQ((*json)["parameters"].size(), 2u);
  EXPECT_EQ((*json)["outputs"][0].Dump(), R"({"name":"label","datatype":"BYTES","shape":[1],"data":["No"]})");
  EXPECT_EQ((*json)["outputs"][1]["shape"].Dump(), "[1,2]");
  EXPECT_NEAR((*json)["outputs"][1]["data"][1].AsDouble(), 1 / (1 + std::exp(2.0)), 1e-7);
  EXPECT_EQ(answer->version, "3");

  ASSERT_EQ(recorder_.records.size(), 1u);
  const data::Prediction& p = recorder_.records[0].rows.at(0);
  EXPECT_EQ(p.id, answer->prediction_id);
  EXPECT_EQ(p.key, "u1");
  EXPECT_EQ(p.time, clock_.NowMs());
  EXPECT_EQ(p.model, "churn");
  EXPECT_EQ(p.version, 3);
  EXPECT_EQ(p.variant, "champion");
  EXPECT_EQ(p.numbers, (std::vector<float>{20, 70.5f, 1}));
  EXPECT_EQ(p.texts, (std::vector<std::string>{"One year"}));
  ASSERT_EQ(p.scores.size(), 2u);
  EXPECT_EQ(p.decision, "No");
  EXPECT_GT(p.latency_us, 0);
  EXPECT_EQ(recorder_.records[0].watched.at(0), p.scores[1]);
  EXPECT_EQ(endpoint_->snapshot()->champion().life->Read().requests, 1);
}

TEST_F(EndpointTest, ABatchHasAnIdPerRowAndTheKeysOfItsKeyColumn) {
  endpoint_->Swap(Only(FakeModel(1)));
  auto answer = Ask(R"({"dataframe_records":[{"customer_id":"a","tenure":1,"charge":1,"active":true,"contract":"x"},{"customer_id":"b","tenure":50,"charge":1,"active":true,"contract":"x"}]})", "header",
                    Protocol::kInvocations);
  ASSERT_TRUE(answer);
  auto json = ParseJson(answer->body);
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["predictions"].size(), 2u);
  EXPECT_EQ((*json)["predictions"][1]["label"].AsString(), "No");
  EXPECT_NEAR((*json)["predictions"][0]["probabilities"]["Yes"].AsDouble() + (*json)["predictions"][0]["probabilities"]["No"].AsDouble(), 1, 1e-6);
  const auto& rows = recorder_.records.at(0).rows;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ((*json)["prediction_ids"][1].AsString(), rows[1].id);
  EXPECT_EQ(rows[0].key, "a");
  EXPECT_EQ(rows[1].key, "b");
  EXPECT_NE(rows[0].id, rows[1].id);
  auto oip = Ask(R"({"inputs":[{"name":"tenure","shape":[2],"datatype":"INT64","data":[1,2]},{"name":"charge","shape":[2],"datatype":"FP32","data":[1,2]},{"name":"active","shape":[2],"datatype":"BOOL","data":[true,true]},{"name":"contract","shape":[2],"datatype":"BYTES","data":["x","y"]}]})");
  ASSERT_TRUE(oip);
  auto parsed = ParseJson(oip->body);
  EXPECT_EQ((*parsed)["parameters"]["prediction_ids"].AsString(), recorder_.records.at(1).rows[0].id + "," + recorder_.records.at(1).rows[1].id);
}

TEST_F(EndpointTest, AskedOutputsOnly) {
  endpoint_->Swap(Only(FakeModel(1)));
  auto answer = Ask(OipRow(1).insert(1, R"("outputs":[{"name":"probabilities"}],)"));
  ASSERT_TRUE(answer);
  EXPECT_EQ((*ParseJson(answer->body))["outputs"].size(), 1u);
  auto unknown = Ask(OipRow(1).insert(1, R"("outputs":[{"name":"logits"}],)"));
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("\"logits\"; it has \"label\", \"probabilities\""), std::string::npos) << unknown.error().message;
}

TEST_F(EndpointTest, RegressionAnswersAPrediction) {
  model::Signature s = ChurnSignature();
  s.task = project::Task::regression;
  s.classes.clear();
  endpoint_->Swap(Only(FakeModel(1, {}, s)));
  auto answer = Ask(OipRow(0));
  ASSERT_TRUE(answer);
  EXPECT_EQ((*ParseJson(answer->body))["outputs"].Dump(), R"([{"name":"prediction","datatype":"FP32","shape":[1,1],"data":[0.5]}])");
}

TEST_F(EndpointTest, TheModelsFailureIsNotTheClients) {
  endpoint_->Swap(Only(FakeModel(1, {.fail_share = 1})));
  EXPECT_EQ(Ask(OipRow(1)).error().code, Code::kInternal);
  EXPECT_EQ(endpoint_->snapshot()->champion().life->Read().errors, 1);
  EXPECT_EQ(Ask("{}").error().code, Code::kInvalid);
  EXPECT_EQ(endpoint_->snapshot()->champion().life->Read().errors, 1) << "a bad request is no error of the model";
  EXPECT_EQ(endpoint_->bad_requests(), 1);
  EXPECT_TRUE(recorder_.records.empty());
}

TEST_F(EndpointTest, ANaNOfTheChampionIsNullAndAnError) {
  endpoint_->Swap(Only(FakeModel(1, {.nan = true})));
  auto answer = Ask(OipRow(1));
  ASSERT_TRUE(answer);
  EXPECT_EQ((*ParseJson(answer->body))["outputs"][1]["data"].Dump(), "[null,null]");
  EXPECT_EQ(endpoint_->snapshot()->champion().life->Read().errors, 1);
}

TEST_F(EndpointTest, SplitsBySharesAndSticks) {
  const auto snapshot = Both(FakeModel(1), FakeModel(2), Role::kChallenger, 0.2);
  endpoint_->Swap(snapshot);
  int challenger = 0;
  std::map<std::string, std::string> dealt;
  for (int i = 0; i < 4000; ++i) {
    const std::string key = fmt::format("u{}", i % 1000);
    auto answer = Ask(OipRow(5), key);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->version, answer->variant == "challenger" ? "2" : "1");
    challenger += answer->variant == "challenger";
    ASSERT_EQ(dealt.emplace(key, answer->variant).first->second, answer->variant) << "the same key, the same variant";
  }
  EXPECT_NEAR(challenger, 800, 150);
  // More traffic: nobody who had the challenger goes back.
  const auto more = Both(FakeModel(1), FakeModel(2), Role::kChallenger, 0.5);
  endpoint_->Swap(more);
  for (const auto& [key, variant] : dealt) ASSERT_TRUE(variant == "champion" || Ask(OipRow(5), key)->variant == "challenger") << key;
  for (Record& record : recorder_.records)
    if (record.split) record.split->Count(record.unit, record.sticky, record.to_challenger);
  EXPECT_EQ(snapshot->split->Read().champion + snapshot->split->Read().challenger, 1000) << "a sticky unit counts once";
  EXPECT_EQ(snapshot->variants[1].trial->Read().requests, challenger);
}

TEST_F(EndpointTest, WithoutAKeyEachRequestIsDealtByItself) {
  endpoint_->Swap(Both(FakeModel(1), FakeModel(2), Role::kChallenger, 0.5));
  int challenger = 0;
  for (int i = 0; i < 2000; ++i) challenger += Ask(OipRow(5))->variant == "challenger";
  EXPECT_NEAR(challenger, 1000, 120);
  EXPECT_FALSE(recorder_.records[0].sticky);
  // The key column of a single row is a key as well.
  std::set<std::string> variants;
  for (int i = 0; i < 20; ++i)
    variants.insert(Ask(R"({"dataframe_records":[{"customer_id":"c1","tenure":1,"charge":1,"active":true,"contract":"x"}]})", "", Protocol::kInvocations)->variant);
  EXPECT_EQ(variants.size(), 1u);
}

TEST_F(EndpointTest, AFailingChallengerIsCountedAndTheChampionAnswers) {
  for (const FakeScorer::Behaviour& broken : {FakeScorer::Behaviour{.fail_share = 1}, FakeScorer::Behaviour{.nan = true}}) {
    endpoint_->Swap(Both(FakeModel(1), FakeModel(2, broken), Role::kChallenger, 1));
    for (int i = 0; i < 50; ++i) {
      auto answer = Ask(OipRow(5));
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->variant, "champion");
      EXPECT_EQ(answer->version, "1");
    }
    EXPECT_EQ(endpoint_->snapshot()->variants[1].trial->Read().errors, 50);
    EXPECT_EQ(endpoint_->snapshot()->variants[0].trial->Read().requests, 0) << "not a fair draw of the champion's";
  }
}

TEST_F(EndpointTest, AChallengerThatWantsAnotherColumnFailsNotTheClient) {
  model::Signature wider = ChurnSignature();
  wider.inputs.push_back({"region", "category"});
  endpoint_->Swap(Both(FakeModel(1), FakeModel(2, {}, wider), Role::kChallenger, 1));
  auto answer = Ask(R"({"dataframe_records":[{"tenure":1,"charge":1,"active":true,"contract":"x"}]})", "", Protocol::kInvocations);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->version, "1");
  EXPECT_EQ(endpoint_->snapshot()->variants[1].trial->Read().errors, 1);
  answer = Ask(R"({"dataframe_records":[{"tenure":1,"charge":1,"active":true,"contract":"x","region":"north"}]})", "", Protocol::kInvocations);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->version, "2");
  EXPECT_FALSE(Ask(R"({"dataframe_records":[{"tenure":1}]})", "", Protocol::kInvocations)) << "neither takes it: the client's fault";
  EXPECT_EQ(endpoint_->snapshot()->variants[1].trial->Read().errors, 1);
}

TEST_F(EndpointTest, AVersionMayBeAskedFor) {
  endpoint_->Swap(Both(FakeModel(1), FakeModel(2), Role::kChallenger, 0));
  EXPECT_EQ(Ask(OipRow(1), "", Protocol::kOip, "2")->variant, "challenger");
  EXPECT_EQ(Ask(OipRow(1), "", Protocol::kOip, "7").error().code, Code::kNotFound);
  EXPECT_EQ(endpoint_->snapshot()->variants[1].trial->Read().requests, 0) << "not dealt by chance";
}

TEST_F(EndpointTest, RowsAloneEqualRowsInABatch) {
  endpoint_->Swap(Only(FakeModel(1)));
  std::string tenure, charge, active, contract;
  constexpr int kRows = 50;
  std::vector<double> alone;
  for (int i = 0; i < kRows; ++i) {
    const char* comma = i ? "," : "";
    tenure += fmt::format("{}{}", comma, i);
    charge += fmt::format("{}70.5", comma);
    active += fmt::format("{}true", comma);
    contract += fmt::format("{}\"One year\"", comma);
    alone.push_back((*ParseJson(Ask(OipRow(i))->body))["outputs"][1]["data"][1].AsDouble());
  }
  auto answer = Ask(fmt::format(R"({{"inputs":[{{"name":"tenure","shape":[50],"datatype":"INT64","data":[{}]}},{{"name":"charge","shape":[50],"datatype":"FP32","data":[{}]}},)"
                                R"({{"name":"active","shape":[50],"datatype":"BOOL","data":[{}]}},{{"name":"contract","shape":[50,1],"datatype":"BYTES","data":[{}]}}]}})",
                                tenure, charge, active, contract));
  ASSERT_TRUE(answer) << answer.error().message;
  const auto json = ParseJson(answer->body);
  for (size_t i = 0; i < kRows; ++i) EXPECT_EQ((*json)["outputs"][1]["data"][2 * i + 1].AsDouble(), alone[i]);
}

/// Version v answers with the score logistic(v): a mixed answer would show.
TEST(EndpointSwap, AThousandSwapsUnderLoadFailNothing) {
  NoRecorder recorder;
  const auto endpoint = std::make_shared<Endpoint>("churn", "churn", recorder, SystemClock());
  const auto score = [](int64_t v) { return 1 / (1 + std::exp(-static_cast<double>(v % 10))); };
  endpoint->Swap(Only(FakeModel(1, {.bias = 1, .slope = 0})));
  std::atomic<bool> stop{false};
  std::atomic<int64_t> answered{0}, failed{0}, mixed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      const std::string body = OipRow(7);
      while (!stop) {
        InferRequest request;
        request.body = body;
        auto answer = endpoint->Infer(request);
        if (!answer) {
          ++failed;
          continue;
        }
        auto json = ParseJson(answer->body);
        const int64_t version = std::stoll(answer->version);
        mixed += (*json)["model_version"].AsString() != answer->version || std::fabs((*json)["outputs"][1]["data"][1].AsDouble() - score(version)) > 1e-6;
        ++answered;
      }
    });
  for (int64_t swap = 2; swap <= 1001; ++swap) {
    auto next = FakeModel(swap, {.bias = static_cast<double>(swap % 10), .slope = 0});
    endpoint->Swap(swap % 3 ? Only(next) : Both(next, FakeModel(swap + 10, {.bias = static_cast<double>(swap % 10), .slope = 0}), Role::kChallenger, 0.5));
    if (swap % 50 == 0) std::this_thread::yield();
  }
  while (answered < 2000) std::this_thread::yield();
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(mixed, 0);
  EXPECT_EQ(endpoint->snapshot().use_count(), 2) << "only the endpoint (and this call) holds the last snapshot";
}

class RecorderTest : public testing::Test {
 protected:
  std::unique_ptr<QueueRecorder> Make(RecorderOptions options = {}) {
    options.folder = dir_.path();
    return std::make_unique<QueueRecorder>(options);
  }
  static Record MakeRecord(int i) {
    Record record;
    data::Prediction p;
    p.id = NextPredictionId();
    p.version = i;
    record.rows = {p};
    return record;
  }
  std::vector<data::Prediction> Logged() {
    std::vector<data::Prediction> out;
    data::LogPosition position;
    EXPECT_TRUE(data::ReadPredictions(dir_.path() / "churn", position, [&](const data::Prediction& p) {
      out.push_back(p);
      return true;
    }));
    return out;
  }
  TempDir dir_;
  NoRecorder none_;
  FakeClock clock_;
  std::shared_ptr<Endpoint> endpoint_ = std::make_shared<Endpoint>("churn", "churn", none_, clock_);
};

TEST_F(RecorderTest, WritesInOrderTellsObserversAndFlushes) {
  auto recorder = Make();
  std::vector<int64_t> seen;
  recorder->AddObserver([&](const std::string& endpoint, const std::vector<data::Prediction>& rows) {
    EXPECT_EQ(endpoint, "churn");
    for (const auto& p : rows) seen.push_back(p.version);
  });
  for (int i = 0; i < 5000; ++i) recorder->Put(endpoint_, MakeRecord(i));
  recorder->Flush();
  EXPECT_EQ(seen.size(), 5000u);
  for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<int64_t>(i));
  EXPECT_EQ(Logged().size(), 5000u);
  recorder->Put(endpoint_, MakeRecord(5000));
  recorder.reset();
  EXPECT_EQ(Logged().size(), 5001u) << "what is queued at the end is written";
}

TEST_F(RecorderTest, AFullQueueDropsAndCounts) {
  RecorderOptions options;
  options.max_rows = 10;
  options.threads = false;
  auto recorder = Make(options);
  const uint64_t before = recorder->dropped();
  for (int i = 0; i < 25; ++i) recorder->Put(endpoint_, MakeRecord(i));
  EXPECT_EQ(recorder->dropped() - before, 15u);
  recorder->Flush();
  EXPECT_EQ(Logged().size(), 10u);
}

TEST_F(RecorderTest, AFullDiskDoesNotStopServing) {
  RecorderOptions options;
  options.threads = false;
  auto recorder = Make(options);
  recorder->Put(endpoint_, MakeRecord(1));
  recorder->Flush();
  const uint64_t before = recorder->dropped();
  rlimit was{};
  getrlimit(RLIMIT_FSIZE, &was);
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = was;
  tight.rlim_cur = fs::file_size(dir_.path() / "churn" / "00000001.rpl") + 10;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  for (int i = 0; i < 7; ++i) recorder->Put(endpoint_, MakeRecord(i));
  recorder->Flush();
  setrlimit(RLIMIT_FSIZE, &was);
  EXPECT_EQ(recorder->dropped() - before, 7u);
  recorder->Put(endpoint_, MakeRecord(2));
  recorder->Flush();
  EXPECT_EQ(Logged().size(), 2u);
}

TEST_F(RecorderTest, AStalledShadowChangesNothingForCallers) {
  std::atomic<bool> stall{false};
  RecorderOptions options;
  options.max_shadow_jobs = 20;
  auto recorder = Make(options);
  const auto endpoint = std::make_shared<Endpoint>("churn", "churn", *recorder, clock_);
  const auto snapshot = Both(FakeModel(1), FakeModel(2, {.bias = 3, .stall = &stall}), Role::kShadow, 0);
  endpoint->Swap(snapshot);
  stall = true;
  const uint64_t before = recorder->shadow_dropped();
  const std::string body = OipRow(5);
  InferRequest request;
  request.body = body;
  for (int i = 0; i < 500; ++i) {
    auto answer = endpoint->Infer(request);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->version, "1");
  }
  EXPECT_GE(recorder->shadow_dropped() - before, 470u) << "the shadow is shed, the callers were answered";
  stall = false;
  recorder->Flush();
  int shadows = 0;
  std::set<std::string> answered;
  for (const auto& p : Logged()) {
    if (!p.shadow) answered.insert(p.id);
  }
  for (const auto& p : Logged()) {
    if (!p.shadow) continue;
    ++shadows;
    EXPECT_EQ(p.version, 2);
    EXPECT_EQ(p.variant, "shadow");
    EXPECT_TRUE(answered.contains(p.id)) << "a shadow's record carries the answer's id";
  }
  EXPECT_EQ(answered.size(), 500u);
  EXPECT_EQ(static_cast<uint64_t>(shadows), 500 - (recorder->shadow_dropped() - before));
  EXPECT_EQ(snapshot->variants[1].trial->Read().requests, shadows);
  endpoint->Swap(nullptr);
}

TEST_F(RecorderTest, AFailingShadowIsCountedOnly) {
  auto recorder = Make();
  const auto endpoint = std::make_shared<Endpoint>("churn", "churn", *recorder, clock_);
  const auto snapshot = Both(FakeModel(1), FakeModel(2, {.fail_share = 1}), Role::kShadow, 0);
  endpoint->Swap(snapshot);
  const std::string body = OipRow(5);
  InferRequest request;
  request.body = body;
  for (int i = 0; i < 30; ++i) ASSERT_EQ(endpoint->Infer(request)->version, "1");
  recorder->Flush();
  EXPECT_EQ(snapshot->variants[1].trial->Read().errors, 30);
  EXPECT_EQ(Logged().size(), 30u);
}

}  // namespace
}  // namespace rondo::serving
