// Inference over HTTP: the Open Inference Protocol and MLflow's scoring protocol, answers and errors.
#include "api/infer.h"

#include <gtest/gtest.h>

#include "api/endpoints.h"
#include "base/file.h"
#include "net/client.h"
#include "serving/fake.h"

namespace rondo::api {
namespace {

class InferTest : public testing::Test {
 protected:
  void SetUp() override {
    stage_.StartServer();
    version_ = stage_.AddVersion({});
    ASSERT_TRUE(stage_.Deploy(version_, {}));
    stage_.Round();
    context_.workspace = &stage_.workspace();
    context_.serving = &stage_.server();
    router_ = std::make_unique<Router>(context_);
    AddInfer(*router_);
    AddEndpoints(*router_);
    net::ServerOptions options;
    options.spool = stage_.folder();
    auto server = net::Server::Start(options, router_->Build());
    ASSERT_TRUE(server) << server.error().Text();
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (server_) server_->Drain(1000);
  }
  net::ClientResponse Raw(const std::string& method, const std::string& path, const std::string& body = {}, net::Headers headers = {{"Content-Type", "application/json"}}) {
    auto response = net::Fetch({method, "http://127.0.0.1:" + std::to_string(server_->port()) + path, std::move(headers), body});
    EXPECT_TRUE(response) << path;
    return response.value_or(net::ClientResponse{});
  }
  std::pair<int, Json> Send(const std::string& method, const std::string& path, const std::string& body = {}) {
    const auto response = Raw(method, path, body);
    return {response.status, ParseJson(response.body).value_or(Json(response.body))};
  }
  static std::string Header(const net::ClientResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key.size() == name.size() && std::equal(key.begin(), key.end(), name.begin(), [](char a, char b) { return std::tolower(a) == std::tolower(b); })) return value;
    return {};
  }
  serving::Rehearsal stage_;
  int64_t version_ = 0;
  Context context_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<net::Server> server_;
};

const std::string kRecord = R"({"dataframe_records":[{"tenure":12,"charge":70.5,"active":true,"contract":"One year"}]})";

TEST_F(InferTest, AnswersCarryIdVersionAndVariant) {
  const auto response = Raw("POST", "/v2/models/churn/infer", serving::OipRow(12), {{"Content-Type", "application/json"}, {"x-rondo-key", "customer 7"}});
  ASSERT_EQ(response.status, 200) << response.body;
  const auto json = ParseJson(response.body);
  EXPECT_EQ(Header(response, "x-rondo-variant"), "champion");
  EXPECT_EQ(Header(response, "x-rondo-version"), "1");
  EXPECT_EQ(Header(response, "x-rondo-prediction-id"), (*json)["parameters"]["prediction_id"].AsString());
  EXPECT_EQ((*json)["model_name"].AsString(), "churn");
  stage_.server().Flush();
  const auto logged = data::FindPrediction(stage_.workspace().folder() / "predictions" / "churn", Header(response, "x-rondo-prediction-id"));
  ASSERT_TRUE(logged) << "what was answered is logged";
  EXPECT_EQ(logged->key, "customer 7");
  const auto [status, mlflow] = Send("POST", "/endpoints/churn/invocations", kRecord);
  EXPECT_EQ(status, 200);
  EXPECT_EQ(mlflow["predictions"][0]["label"].AsString(), (*json)["outputs"][0]["data"][0].AsString());
  const auto csv = Raw("POST", "/endpoints/churn/invocations", "tenure,charge,active,contract\n12,70.5,true,One year\n", {{"Content-Type", "text/csv; charset=utf-8"}});
  EXPECT_EQ(csv.status, 200) << csv.body;
}

TEST_F(InferTest, MetadataAndHealth) {
  EXPECT_EQ(Send("GET", "/v2/health/live").second.Dump(), R"({"live":true})");
  EXPECT_EQ(Send("GET", "/v2/health/ready").first, 200);
  EXPECT_EQ(Send("GET", "/v2").second["name"].AsString(), "rondo");
  EXPECT_EQ(Send("GET", "/v2/models").second.Dump(), R"({"models":["churn"]})");
  const auto [status, model] = Send("GET", "/v2/models/churn");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(model["versions"].Dump(), R"(["1"])");
  EXPECT_EQ(model["inputs"][0].Dump(), R"({"name":"tenure","datatype":"INT64","shape":[-1,1]})");
  EXPECT_EQ(model["outputs"].size(), 2u);
  EXPECT_EQ(Send("GET", "/v2/models/churn/ready").second.Dump(), R"({"name":"churn","ready":true})");
  EXPECT_EQ(Send("GET", "/v2/models/churn/versions/1/ready").first, 200);
  EXPECT_EQ(Send("GET", "/v2/models/churn/versions/9/ready").first, 503);
  EXPECT_EQ(Send("GET", "/v2/models/nope/ready").first, 404);
  EXPECT_EQ(Raw("GET", "/endpoints/churn/ping").status, 200);
}

TEST_F(InferTest, ErrorsTable) {
  const struct {
    const char *method, *path;
    std::string body;
    int status;
    const char* says;
  } cases[] = {
      {"POST", "/v2/models/nope/infer", "{}", 404, "nope"},
      {"POST", "/v2/models/churn/versions/9/infer", serving::OipRow(1), 404, "9"},
      {"POST", "/v2/models/churn/versions/..%2f1/infer", serving::OipRow(1), 404, "not served"},
      {"POST", "/v2/models/%00/infer", "{}", 400, "NUL"},
      {"POST", "/v2/models/churn/infer", "{", 400, "not valid JSON"},
      {"POST", "/v2/models/churn/infer", R"({"inputs":"x"})", 400, "must be a list"},
      {"POST", "/v2/models/churn/infer", R"({"inputs":[{"name":"tenure","shape":[1],"datatype":"FP64","data":["x"]}]})", 400, "tenure"},
      {"POST", "/v2/models/churn/infer", R"({"inputs":[{"name":"tenure","shape":[-1],"datatype":"FP64","data":[]}]})", 400, "not positive"},
      {"POST", "/v2/models/churn/infer", std::string(300, '['), 400, ""},
      {"GET", "/v2/models/churn/infer", "", 405, ""},
      {"POST", "/endpoints/nope/invocations", kRecord, 404, "nope"},
      {"POST", "/endpoints/churn/invocations", R"({"a":1})", 400, "exactly one of"},
      {"POST", "/api/v1/endpoints/churn/advance", "{}", 409, "no rollout"},
      {"POST", "/api/v1/endpoints/churn/explode", "{}", 404, "explode"},
      {"GET", "/api/v1/endpoints/nope", "", 404, "nope"},
  };
  for (const auto& c : cases) {
    const auto [status, json] = Send(c.method, c.path, c.body);
    EXPECT_EQ(status, c.status) << c.path << " " << json.Dump();
    EXPECT_NE(json.Dump().find(c.says), std::string::npos) << c.path << " " << json.Dump();
    EXPECT_EQ(json.Dump().find(stage_.folder().string()), std::string::npos) << "no paths in errors";
    EXPECT_TRUE(status != 400 || !std::string_view(c.path).starts_with("/v2") || json["error"].IsString()) << json.Dump();
  }
  EXPECT_EQ(Raw("POST", "/endpoints/churn/invocations", kRecord, {{"Content-Type", "application/x-pickle"}}).status, 415);
  const auto binary = Raw("POST", "/v2/models/churn/infer", "{}", {{"Inference-Header-Content-Length", "2"}});
  EXPECT_EQ(binary.status, 400);
  EXPECT_NE(binary.body.find("binary_data=False"), std::string::npos);
  EXPECT_EQ(Send("POST", "/v2/models/churn/infer", serving::OipRow(1)).first, 200) << "and it still answers";
}

TEST_F(InferTest, ALargeBatchIsScoredOffTheLoop) {
  std::string body = "tenure,charge,active,contract\n";
  for (int i = 0; i < 20'000; ++i) body += fmt::format("{},70.5,true,One year\n", i % 70);
  const auto response = Raw("POST", "/endpoints/churn/invocations", body, {{"Content-Type", "text/csv"}});
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ((*ParseJson(response.body))["predictions"].size(), 20'000u);
}

TEST_F(InferTest, TheEndpointDescribesItselfAndRollsBack) {
  const int64_t second = stage_.AddVersion({});
  project::Deploy canary;
  canary.rollout = "canary";
  ASSERT_TRUE(stage_.Deploy(second, canary));
  stage_.Round();
  auto [status, endpoint] = Send("GET", "/api/v1/endpoints/churn");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(endpoint["state"].AsString(), "busy");
  EXPECT_EQ(endpoint["variants"].size(), 2u);
  EXPECT_NEAR(endpoint["variants"][0]["weight"].AsDouble(), 0.95, 1e-9);
  EXPECT_EQ(endpoint["rollout"]["state"].AsString(), "running");
  EXPECT_EQ(endpoint["rollout"]["steps"].Dump(), "[0.05,0.25,1.0]");
  EXPECT_EQ(endpoint["inputs"].size(), 4u);
  std::tie(status, endpoint) = Send("POST", "/api/v1/endpoints/churn/rollback", R"({"reason":"odd scores"})");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(endpoint["rollout"]["state"].AsString(), "rolled_back");
  EXPECT_EQ(endpoint["rollout"]["why"].AsString(), "odd scores");
  EXPECT_EQ(endpoint["events"][0]["action"].AsString(), "rollback");
  EXPECT_EQ(endpoint["variants"].size(), 1u);
}

}  // namespace
}  // namespace rondo::api
