// Labels, the monitor's view and alarms over HTTP.
#include "api/monitor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "data/prediction_log.h"
#include "monitor/monitor.h"
#include "net/client.h"

namespace rondo::api {
namespace {

class MonitorApiTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = workspace::Workspace::Open(dir_.path() / "data", clock_);
    ASSERT_TRUE(opened) << opened.error().Text();
    workspace_ = std::move(*opened);
    auto monitor = monitor::Monitor::Open(*workspace_, {});
    ASSERT_TRUE(monitor) << monitor.error().Text();
    monitor_ = std::move(*monitor);
    auto writer = data::OpenPredictionWriter(workspace_->folder() / "predictions" / "churn");
    ASSERT_TRUE(writer);
    std::vector<data::Prediction> batch(50);
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].id = fmt::format("{:032x}", i);
      batch[i].time = clock_.NowMs();
      batch[i].model = "churn";
      batch[i].version = 3;
      batch[i].key = fmt::format("c{}", i);
      batch[i].scores = {0.5f, 0.5f};
    }
    ASSERT_TRUE((*writer)->Append(batch));
    ASSERT_TRUE(monitor_->Pass());
    context_.workspace = workspace_.get();
    context_.monitor = monitor_.get();
    router_ = std::make_unique<Router>(context_);
    AddMonitor(*router_);
    net::ServerOptions options;
    options.spool = dir_.path();
    auto server = net::Server::Start(options, router_->Build());
    ASSERT_TRUE(server) << server.error().Text();
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (server_) server_->Drain(1000);
  }
  std::pair<int, Json> Send(const std::string& method, const std::string& path, const std::string& body = {}) {
    const auto response = net::Fetch({method, "http://127.0.0.1:" + std::to_string(server_->port()) + path, {{"Content-Type", "application/json"}}, body});
    EXPECT_TRUE(response);
    if (!response) return {0, Json()};
    return {response->status, ParseJson(response->body).value_or(Json(response->body))};
  }
  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::unique_ptr<monitor::Monitor> monitor_;
  Context context_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(MonitorApiTest, LabelsJoinAndShowInTheView) {
  const auto [status, counts] = Send("POST", "/endpoints/churn/labels", R"([{"id": "00000000000000000000000000000001", "label": "Yes"}, {"key": "c2", "label": "No"}, {"key": "nobody", "label": "No"}])");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(counts.Dump(), R"({"received":3,"joined":2,"known":0,"corrected":0,"pending":1})");
  const auto [view_status, view] = Send("GET", "/api/v1/endpoints/churn/monitor");
  EXPECT_EQ(view_status, 200);
  EXPECT_EQ(view["windows"].AsInt(), 1);
  EXPECT_EQ(view["rows"].AsInt(), 50);
  EXPECT_EQ(view["version"].AsInt(), 3);
  EXPECT_TRUE(view["columns"].IsArray());
  EXPECT_EQ(view["labels"]["pending"].AsInt(), 1);
  EXPECT_EQ(Send("GET", "/api/v1/endpoints/churn/alarms").second.Dump(), "[]");
  EXPECT_EQ(Send("GET", "/api/v1/retrains").second.Dump(), "[]");
}

TEST_F(MonitorApiTest, BadRequestsSayWhat) {
  EXPECT_EQ(Send("POST", "/endpoints/churn/labels", R"({"id": "a"})").first, 400);
  EXPECT_EQ(Send("POST", "/endpoints/churn/labels", "[{").first, 400);
  EXPECT_EQ(Send("POST", "/endpoints/nothing/labels", "[]").first, 404);
  EXPECT_EQ(Send("GET", "/api/v1/endpoints/nothing/monitor").first, 404);
  EXPECT_EQ(Send("GET", "/api/v1/endpoints/churn/monitor?version=x").first, 400);
  EXPECT_EQ(Send("POST", "/api/v1/alarms/nothing/acknowledge").first, 404);
  const auto [status, body] = Send("POST", "/endpoints/churn/labels", R"([{"id": "a", "label": "x"}, {"label": "x"}])");
  EXPECT_EQ(status, 400);
  EXPECT_NE(body.Dump().find("label 1: needs an id or a key"), std::string::npos);
}

}  // namespace
}  // namespace rondo::api
