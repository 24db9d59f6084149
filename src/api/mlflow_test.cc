// MLflow's surface as request and answer texts. The real client's tests are in tests/compat.
#include <gtest/gtest.h>

#include <cmath>

#include "api/mlflow.h"
#include "base/file.h"
#include "net/client.h"

namespace rondo::api {
namespace {

class MlflowTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = workspace::Workspace::Open(dir_.path() / "data", clock_);
    ASSERT_TRUE(opened) << opened.error().Text();
    workspace_ = std::move(*opened);
    context_.workspace = workspace_.get();
    router_ = std::make_unique<Router>(context_);
    AddMlflow(*router_);
    net::ServerOptions options;
    options.spool = dir_.path();
    auto server = net::Server::Start(options, router_->Build());
    ASSERT_TRUE(server) << server.error().Text();
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (server_) server_->Drain(1000);
  }
  net::ClientResponse Send(const std::string& method, const std::string& path, const std::string& body = {}, const std::string& type = "application/json") {
    net::ClientRequest request{method, "http://127.0.0.1:" + std::to_string(server_->port()) + path, {}, body};
    if (!body.empty()) request.headers.emplace_back("Content-Type", type);
    auto response = net::Fetch(request);
    EXPECT_TRUE(response) << (response ? "" : response.error().Text());
    return response ? *response : net::ClientResponse{};
  }
  Json Post(const std::string& path, const std::string& body, int status = 200) {
    const auto r = Send("POST", "/api/2.0/mlflow" + path, body);
    EXPECT_EQ(r.status, status) << path << " " << body << "\n" << r.body;
    return ParseJson(r.body).value_or(Json());
  }
  Json Get(const std::string& path, int status = 200) {
    const auto r = Send("GET", "/api/2.0/mlflow" + path);
    EXPECT_EQ(r.status, status) << path << "\n" << r.body;
    return ParseJson(r.body).value_or(Json());
  }
  std::string MakeRun() { return Post("/runs/create", R"({"experiment_id": "0", "start_time": 5, "run_name": "r"})")["run"]["info"]["run_id"].AsString(); }

  TempDir dir_;
  FakeClock clock_;
  Context context_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(MlflowTest, TheWireFormIsMlflows) {
  const std::string id = MakeRun();
  Post("/runs/log-batch", R"({"run_id": ")" + id + R"(", "metrics": [{"key": "auc", "value": 0.5, "timestamp": "7", "step": 2}, {"key": "nan", "value": NaN, "timestamp": 1},
       {"key": "inf", "value": "-Infinity", "timestamp": 1}], "params": [{"key": "p", "value": "1"}], "tags": [{"key": "NaN", "value": "a \"NaN\" stays"}]})");
  const auto r = Send("GET", "/ajax-api/2.0/mlflow/runs/get?run_id=" + id);
  EXPECT_EQ(r.body, R"({"run":{"info":{"run_uuid":")" + id + R"(","experiment_id":"0","run_name":"r","user_id":"","status":"RUNNING","start_time":5,"artifact_uri":"mlflow-artifacts:/0/)" + id +
                        R"(/artifacts","lifecycle_stage":"active","run_id":")" + id +
                        R"("},"data":{"metrics":[{"key":"auc","value":0.5,"timestamp":7,"step":2},{"key":"inf","value":-1.7976931348623157e+308,"timestamp":1,"step":0},)"
                        R"({"key":"nan","value":"NaN","timestamp":1,"step":0}],"params":[{"key":"p","value":"1"}],"tags":[{"key":"NaN","value":"a \"NaN\" stays"},{"key":"mlflow.runName","value":"r"}]},"inputs":{}}})");
}

TEST_F(MlflowTest, ErrorsHaveCodeMessageAndStatus) {
  const std::string id = MakeRun();
  const std::string run = R"("run_id": ")" + id + "\"";
  struct Case {
    const char* path;
    std::string body;
    int status;
    const char* code;
    std::string message;
  };
  const std::string docs = " See the API docs for more information about request parameters.";
  const Case cases[] = {
      {"/experiments/create", "{}", 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'name'." + docs},
      {"/experiments/create", R"({"name": "Default"})", 400, "RESOURCE_ALREADY_EXISTS", "Experiment(name=Default) already exists."},
      {"/experiments/create", R"({"name": "x", "artifact_location": "file:///etc"})", 400, "INVALID_PARAMETER_VALUE", "Invalid artifact location"},
      {"/experiments/create", R"({"name": ["x"]})", 400, "INVALID_PARAMETER_VALUE", "Invalid value [\"x\"] for parameter 'name' supplied"},
      {"/experiments/delete", R"({"experiment_id": "77"})", 404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77 exists"},
      {"/runs/create", R"({"experiment_id": "77"})", 404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77 exists"},
      {"/runs/update", R"({"run_id": "nope"})", 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=nope not found"},
      {"/runs/log-metric", "{" + run + R"(, "key": "m", "timestamp": 1})", 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'value'." + docs},
      {"/runs/log-metric", "{" + run + R"(, "key": "a//b", "value": 1, "timestamp": 1})", 400, "INVALID_PARAMETER_VALUE", "Invalid value \"a//b\" for parameter 'name' supplied: Names may be treated as files"},
      {"/runs/log-parameter", "{" + run + R"(, "key": "a;b", "value": "1"})", 400, "INVALID_PARAMETER_VALUE", "Invalid value \"a;b\" for parameter 'key' supplied: Names may only contain"},
      {"/runs/search", R"({"experiment_ids": ["0"], "max_results": 50001})", 400, "INVALID_PARAMETER_VALUE", "Invalid value 50001 for parameter 'max_results' supplied: It must be at most 50000"},
      {"/runs/search", R"({"experiment_ids": ["0"], "max_results": 0})", 400, "INVALID_PARAMETER_VALUE", "Invalid value 0 for parameter 'max_results' supplied"},
      {"/runs/search", R"({"experiment_ids": "0"})", 400, "INVALID_PARAMETER_VALUE", "Invalid value \"0\" for parameter 'experiment_ids' supplied"},
      {"/runs/search", R"({"experiment_ids": ["0"], "page_token": "?"})", 400, "INVALID_PARAMETER_VALUE", "Invalid page token, could not base64-decode"},
      {"/runs/search", R"({"experiment_ids": ["0"], "filter": "a OR b"})", 400, "INVALID_PARAMETER_VALUE", "Invalid clause(s) in filter string: "},
      {"/registered-models/create", R"({"name": "a/b"})", 400, "INVALID_PARAMETER_VALUE", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."},
      {"/model-versions/create", R"({"name": "none", "source": "s3://b/m"})", 404, "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=none not found"},
      {"/model-versions/create", R"({"name": "none", "source": "/etc/passwd"})", 400, "INVALID_PARAMETER_VALUE", "Invalid model version source: '/etc/passwd'."},
      {"/logged-models", R"({"name": "x"})", 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'experiment_id'." + docs},
      {"/logged-models/search", R"({"experiment_ids": ["0"], "filter": "name = '<path>'", "order_by": [{}]})", 400, "INVALID_PARAMETER_VALUE", "`field_name` in the `order_by` clause must be specified."},
      {"/runs/get-nothing", "{}", 404, "ENDPOINT_NOT_FOUND", ""},
      {"/runs/log-metric", "{", 400, "INVALID_PARAMETER_VALUE", "The request body is not valid JSON"},
  };
  for (const Case& c : cases) {
    const Json answer = Post(c.path, c.body, c.status);
    EXPECT_EQ(answer["error_code"].AsString(), c.code) << c.path << c.body;
    EXPECT_TRUE(answer["message"].AsString().starts_with(c.message)) << c.path << c.body << "\n" << answer["message"].AsString();
  }
  EXPECT_EQ(Send("POST", "/api/2.0/mlflow/runs/search", "{}", "text/plain").status, 400) << "a form of another site must not get in";
  EXPECT_EQ(Get("/registered-models/alias?name=none&alias=x", 404)["error_code"].AsString(), "RESOURCE_DOES_NOT_EXIST");
  EXPECT_EQ(Post("/runs/update", "{" + run + R"(, "status": "BOGUS"})")["run_info"]["status"].AsString(), "RUNNING") << "MLflow's answer too";
}

TEST_F(MlflowTest, HistoriesWithoutALimitAreWhole) {
  const std::string id = MakeRun();
  std::string metrics;
  for (int i = 0; i < 300; ++i) metrics += std::string(i ? "," : "") + R"({"key":"m","value":)" + std::to_string(i) + R"(,"timestamp":1,"step":)" + std::to_string(i) + "}";
  Post("/runs/log-batch", R"({"run_id":")" + id + R"(","metrics":[)" + metrics + "]}");
  EXPECT_EQ(Get("/metrics/get-history?run_id=" + id + "&metric_key=m")["metrics"].size(), 300u);
  const Json page = Get("/metrics/get-history?run_id=" + id + "&metric_key=m&max_results=200");
  EXPECT_EQ(page["metrics"].size(), 200u);
  EXPECT_EQ(Get("/metrics/get-history?run_id=" + id + "&metric_key=m&max_results=200&page_token=" + net::PercentEncode(page["next_page_token"].AsString()))["metrics"].size(), 100u);
  const Json thin = Get("/metrics/get-history-bulk-interval?run_ids=" + id + "&metric_key=m&max_results=5&start_step=100&end_step=200");
  ASSERT_EQ(thin["metrics"].size(), 6u) << "MLflow's choice: evenly, and the last one";
  EXPECT_EQ(thin["metrics"][0]["step"].AsInt(), 100);
  EXPECT_EQ(thin["metrics"][5]["step"].AsInt(), 200);
  Get("/metrics/get-history-bulk-interval?run_ids=" + id + "&metric_key=m&start_step=1", 400);
  Get("/metrics/get-history-bulk-interval?metric_key=m", 400);
}

TEST_F(MlflowTest, ChangesAreAudited) {
  const std::string id = MakeRun();
  Post("/registered-models/create", R"({"name":"churn"})");
  ASSERT_TRUE(WriteFileAtomic(dir_.path() / "f", "onnx bytes"));
  ASSERT_TRUE(workspace_->LogArtifact(*workspace_->tracking().GetRun(id), dir_.path() / "f", "model/model.onnx"));
  const std::string source = "mlflow-artifacts:/0/" + id + "/artifacts/model";
  Post("/model-versions/create", R"({"name":"churn","source":")" + source + "\"}", 400);  // somebody else's run
  Post("/model-versions/create", R"({"name":"churn","source":")" + source + R"(","run_id":")" + id + "\"}");
  Post("/model-versions/create", R"({"name":"churn","source":"runs:/)" + id + R"(/model","run_id":")" + id + "\"}");
  EXPECT_FALSE(workspace_->registry().GetVersion("churn", 1)->digest.empty()) << "bound to the bytes, so that it can be approved";
  EXPECT_EQ(workspace_->registry().EdgesOf("version", "churn/1")->size(), 1u);
  EXPECT_EQ(Get("/model-versions/get-download-uri?name=churn&version=2")["artifact_uri"].AsString(), source);
  Post("/registered-models/alias", R"({"name":"churn","alias":"champion","version":"2"})");
  EXPECT_EQ(Send("DELETE", "/api/2.0/mlflow/registered-models/alias?name=churn&alias=champion").status, 200) << "arguments in the query";
  EXPECT_EQ(Send("DELETE", "/api/2.0/mlflow/model-versions/delete", R"({"name":"churn","version":"2"})").status, 200) << "or in the body";
  Post("/runs/delete", R"({"run_id":")" + id + "\"}");
  std::vector<std::string> actions;
  const auto entries = *workspace_->audit().List(0, 100, "");
  for (const auto& entry : entries) actions.insert(actions.begin(), entry.action + " " + entry.object);
  EXPECT_EQ(actions, (std::vector<std::string>{"model.create model churn", "version.create version churn/1", "version.create version churn/2", "alias.set model churn@champion",
                                               "alias.delete model churn@champion", "version.delete version churn/2", "run.delete run " + id}));
  EXPECT_TRUE(workspace_->audit().Verify()->faults.empty());
}

TEST_F(MlflowTest, ArtifactsGoThroughTheProxy) {
  const std::string id = MakeRun();
  const std::string base = "/api/2.0/mlflow-artifacts/artifacts/0/" + id + "/artifacts/";
  const std::string bytes(3'000'000, 'x');
  EXPECT_EQ(Send("PUT", base + "big.bin", bytes, "application/octet-stream").status, 200);
  EXPECT_EQ(Send("PUT", base + "a/b%20c.txt", "text", "text/plain").status, 200);
  EXPECT_EQ(Send("GET", base + "big.bin").body, bytes);
  const auto text = Send("GET", base + "a/b%20c.txt");
  EXPECT_EQ(text.body, "text");
  const Json list = Get("/artifacts/list?run_id=" + id);
  ASSERT_EQ(list["files"].size(), 2u);
  EXPECT_EQ(list["files"][1]["path"].AsString(), "big.bin");
  EXPECT_EQ(list["files"][1]["file_size"].AsInt(), 3'000'000);
  EXPECT_EQ(Get("/artifacts/list?run_id=" + id + "&path=a")["files"][0]["path"].AsString(), "a/b c.txt");
  EXPECT_EQ(ParseJson(Send("GET", "/api/2.0/mlflow-artifacts/artifacts?path=0/" + id + "/artifacts/a").body).value()["files"][0]["path"].AsString(), "b c.txt");
  EXPECT_EQ(Get("/artifacts/list?run_id=" + id + "&path=../..", 400)["message"].AsString(), "Invalid path");
  for (const char* path : {"..%2f..%2frondo.db", "%2e%2e/rondo.db", "a%00b"}) {
    EXPECT_EQ(Send("GET", base + path).status, 400) << path;
    EXPECT_EQ(Send("PUT", base + path, "evil", "application/octet-stream").status, 400) << path;
    EXPECT_EQ(Send("DELETE", base + path).status, 400) << path;
  }
  EXPECT_EQ(Send("GET", base + "none").status, 404);
  EXPECT_EQ(Send("DELETE", "/api/2.0/mlflow-artifacts/artifacts/0").status, 400) << "not a whole experiment";
  EXPECT_EQ(Send("DELETE", base + "a").status, 200);
  EXPECT_EQ(Send("DELETE", base + "a").status, 200) << "twice is fine";
  EXPECT_EQ(Get("/artifacts/list?run_id=" + id)["files"].size(), 1u);
}

}  // namespace
}  // namespace rondo::api
