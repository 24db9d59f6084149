// The resources of /api/v1 over HTTP, on a data folder with known content.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "api/static.h"
#include "api/v1.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "net/client.h"
#include "pipeline/journal.h"
#include "project/spec.h"
#include "table/table.h"

namespace rondo::api {
namespace {

constexpr StaticFile kFiles[] = {
    {"/index.html", "text/html; charset=utf-8", "<p>page</p>", "", "aaaa", false},
    {"/assets/x-1.js", "text/javascript; charset=utf-8", "raw script", "packed", "bbbb", true},
};

class V1Test : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = workspace::Workspace::Open(dir_.path() / "data", clock_);
    ASSERT_TRUE(opened) << opened.error().Text();
    workspace_ = std::move(*opened);
    auto& db = workspace_->db();
    ASSERT_TRUE(db.Migrate("data", data::Migrations()));
    context_.workspace = workspace_.get();
    project_.name = "churn";
    context_.project = &project_;
    router_ = std::make_unique<Router>(context_);
    AddV1(*router_);
    AddPages(*router_, kFiles);
    net::ServerOptions options;
    options.spool = dir_.path();
    auto server = net::Server::Start(options, router_->Build());
    ASSERT_TRUE(server) << server.error().Text();
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (server_) server_->Drain(1000);
  }

  net::ClientResponse Send(const std::string& method, const std::string& path, const std::string& body = {}, net::Headers headers = {}) {
    net::ClientRequest request{method, "http://127.0.0.1:" + std::to_string(server_->port()) + path, std::move(headers), body};
    auto response = net::Fetch(request);
    EXPECT_TRUE(response) << (response ? "" : response.error().Text());
    return response ? *response : net::ClientResponse{};
  }
  Json Get(const std::string& path, int status = 200) {
    const net::ClientResponse r = Send("GET", path);
    EXPECT_EQ(r.status, status) << path << ": " << r.body.substr(0, 300);
    auto json = ParseJson(r.body);
    EXPECT_TRUE(json) << r.body.substr(0, 300);
    return json ? *json : Json();
  }
  Json Post(const std::string& path, const Json& body, int status = 200) {
    const net::ClientResponse r = Send("POST", path, body.Dump(), {{"Content-Type", "application/json"}});
    EXPECT_EQ(r.status, status) << path << ": " << r.body.substr(0, 300);
    auto json = ParseJson(r.body);
    return json ? *json : Json();
  }
  static std::string HeaderOf(const net::ClientResponse& r, std::string_view name) {
    for (const auto& [k, v] : r.headers)
      if (std::equal(k.begin(), k.end(), name.begin(), name.end(), [](char a, char b) { return std::tolower(a) == std::tolower(b); })) return v;
    return {};
  }

  std::string MakeRun(const std::string& name) {
    auto& t = workspace_->tracking();
    auto experiment = t.EnsureExperiment("churn");
    EXPECT_TRUE(experiment);
    auto run = t.CreateRun(*experiment, "anna", name, clock_.NowMs(), {{"mlflow.source.git.commit", "c0ffee"}});
    EXPECT_TRUE(run) << run.error().Text();
    return run->run_id;
  }
  int64_t MakeVersion(const std::string& run_id, const std::string& digest, double auc, bool gates_pass) {
    EXPECT_TRUE(workspace_->registry().EnsureModel("churn"));
    const Json interval = Json::MakeObject().Set("value", auc).Set("low", auc - 0.02).Set("high", auc + 0.02);
    Json gate = Json::MakeObject().Set("gate", "auc >= 0.83").Set("value", auc).Set("limit", 0.83).Set("passed", gates_pass).Set("warn", false).Set("why", gates_pass ? "" : "too low");
    registry::Version v;
    v.name = "churn";
    v.run_id = run_id;
    v.user_id = "anna";
    v.digest = digest;
    v.facts = Json::MakeObject().Set("commit", "c0ffee").Set("metrics", Json::MakeObject().Set("test", Json::MakeObject().Set("auc", interval)).Set("gates", Json::MakeArray().Push(gate)).Set("threshold", 0.25));
    auto made = workspace_->registry().CreateVersion(v);
    EXPECT_TRUE(made) << made.error().Text();
    return made ? made->version : 0;
  }

  TempDir dir_;
  FakeClock clock_;
  project::Project project_;
  Context context_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(V1Test, EmptyServerAnswersEveryList) {
  for (const char* path : {"/api/v1/datasets", "/api/v1/models", "/api/v1/pipeline/runs", "/api/v1/search?q=nothing"}) EXPECT_TRUE(Get(path).IsArray()) << path;
  EXPECT_EQ(Get("/api/v1/runs")["runs"].size(), 0u);
  EXPECT_EQ(Get("/api/v1/audit")["next"].AsInt(-1), 0);
  EXPECT_EQ(Get("/api/v1/policies")["pending"].size(), 0u);
  EXPECT_EQ(Get("/api/v1/pipeline/triggers").size(), 0u);
  const Json overview = Get("/api/v1/overview");
  EXPECT_EQ(overview["stages"].size(), 9u);
  EXPECT_EQ(overview["verdict"]["text"].AsString(), "churn has not run yet");
  EXPECT_EQ(overview["waiting"].size(), 0u);
}

TEST_F(V1Test, OverviewSaysWhatFailedAndWhatWaits) {
  MakeVersion(MakeRun("r"), std::string(64, 'a'), 0.84, true);
  project_.govern.approvals.push_back({"champion", {"risk"}, 2, true});
  auto journal = pipeline::Journal::Open(workspace_->db(), clock_);
  ASSERT_TRUE(journal);
  pipeline::RunRecord run;
  run.id = "p1";
  run.project = "churn";
  run.status = "running";
  run.trigger = "drift";
  run.started = clock_.NowMs();
  ASSERT_TRUE(journal->StartRun(run, "{}"));
  pipeline::StageRecord stage;
  stage.name = "train";
  stage.status = "running";
  stage.started = clock_.NowMs();
  ASSERT_TRUE(journal->PutStage("p1", 0, stage));
  Json overview = Get("/api/v1/overview");
  EXPECT_EQ(overview["stages"][3]["state"].AsString(), "busy");
  EXPECT_EQ(overview["stages"][8]["state"].AsString(), "busy");
  EXPECT_NE(overview["verdict"]["text"].AsString().find("retraining for drift"), std::string::npos) << overview["verdict"].Dump();
  ASSERT_EQ(overview["waiting"].size(), 1u);
  EXPECT_EQ(overview["waiting"][0]["text"].AsString(), "v1 needs 2 more approvals by risk");
  stage.status = "failed";
  stage.summary = "no rows";
  stage.ended = clock_.NowMs();
  ASSERT_TRUE(journal->PutStage("p1", 0, stage));
  ASSERT_TRUE(journal->EndRun("p1", "failed", "train failed"));
  overview = Get("/api/v1/overview");
  EXPECT_EQ(overview["verdict"]["state"].AsString(), "bad");
  EXPECT_EQ(overview["stages"][3]["fact"].AsString(), "train failed");
  EXPECT_EQ(overview["waiting"][1]["text"].AsString(), "train failed: no rows");
}

TEST_F(V1Test, RunsHaveMapsAndFiltersAreMlflows) {
  const std::string a = MakeRun("first"), b = MakeRun("second");
  auto& t = workspace_->tracking();
  ASSERT_TRUE(t.Log(a, {{{"auc", 0.81, 1, 0}}, {{"depth", "3"}}, {}}));
  ASSERT_TRUE(t.Log(b, {{{"auc", 0.85, 1, 0}, {"bad", std::nan(""), 1, 0}}, {{"depth", "4"}}, {}}));
  const Json page = Get("/api/v1/runs?filter=metrics.auc%20%3E%200.83");
  ASSERT_EQ(page["runs"].size(), 1u);
  const Json& run = page["runs"][0];
  EXPECT_EQ(run["id"].AsString(), b);
  EXPECT_EQ(run["metrics"]["auc"].AsDouble(), 0.85);
  EXPECT_EQ(run["metrics"]["bad"].AsString(), "NaN");
  EXPECT_EQ(run["params"]["depth"].AsString(), "4");
  EXPECT_EQ(run["tags"]["mlflow.source.git.commit"].AsString(), "c0ffee");
  EXPECT_EQ(Get("/api/v1/runs?order_by=metrics.auc%20ASC")["runs"][0]["id"].AsString(), a);
  const Json first = Get("/api/v1/runs?max=1");
  ASSERT_FALSE(first["next_page_token"].AsString().empty());
  EXPECT_EQ(Get("/api/v1/runs?max=1&page_token=" + net::PercentEncode(first["next_page_token"].AsString()))["runs"].size(), 1u);
  const Json both = Get("/api/v1/compare?runs=" + b + "," + a);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0]["id"].AsString(), b);
  EXPECT_FALSE(Get("/api/v1/runs?filter=metrics.%20%3E", 400)["message"].AsString().empty());
  Get("/api/v1/runs/0123456789abcdef0123456789abcdef", 404);
  Get("/api/v1/runs?max=0", 400);
  Get("/api/v1/compare?runs=", 400);
}

TEST_F(V1Test, VersionsAliasesAndApprovals) {
  const std::string run = MakeRun("r");
  ASSERT_EQ(MakeVersion(run, std::string(64, 'a'), 0.84, true), 1);
  ASSERT_EQ(MakeVersion(run, std::string(64, 'b'), 0.86, true), 2);
  Post("/api/v1/models/churn/aliases/champion", Json::MakeObject().Set("version", 1).Set("reason", "first"));
  const Json model = Get("/api/v1/models/churn");
  EXPECT_EQ(model["aliases"]["champion"].AsInt(), 1);
  EXPECT_EQ(model["champion"]["version"].AsInt(), 1);
  EXPECT_EQ(model["history"][0]["reason"].AsString(), "first");
  EXPECT_EQ(model["rows"][0]["metrics"]["auc"]["low"].AsDouble(), 0.84);
  EXPECT_TRUE(model["rows"][0]["gates"][0]["passed"].AsBool());
  const Json version = Get("/api/v1/models/churn/2");
  EXPECT_EQ(version["champion"]["version"].AsInt(), 1);
  EXPECT_EQ(version["champion"]["metrics"]["auc"]["value"].AsDouble(), 0.84);
  EXPECT_EQ(version["facts"]["threshold"].AsDouble(), 0.25);
  EXPECT_EQ(version["lineage"]["run"][0]["id"].AsString(), run);
  EXPECT_EQ(Get("/api/v1/audit")["entries"][0]["ref"]["id"].AsString(), "churn/1");

  // A policy: two approvals by "risk", not by the author.
  project_.govern.approvals.push_back({"champion", {"risk"}, 1, true});
  const Json move = Json::MakeObject().Set("version", 2).Set("reason", "better");
  EXPECT_EQ(Get("/api/v1/policies")["pending"][0]["ref"]["id"].AsString(), "churn/2");
  Post("/api/v1/models/churn/aliases/champion", move, 403);
  const auto approve = [&](const std::string& actor, const std::string& role, const std::string& digest, const std::string& decision = "approved") {
    clock_.Advance(1000);
    ASSERT_TRUE(workspace_->approvals().Add({"churn", 2, digest, decision, actor, role, "", clock_.NowMs()}));
  };
  approve("anna", "risk", std::string(64, 'b'));  // the author
  approve("tom", "sales", std::string(64, 'b'));  // another role
  approve("mira", "risk", std::string(64, 'c'));  // other bytes
  EXPECT_EQ(Get("/api/v1/models/churn/2")["approved"].AsInt(), 0);
  Post("/api/v1/models/churn/aliases/champion", move, 403);
  approve("mira", "risk", std::string(64, 'b'), "rejected");
  EXPECT_EQ(Get("/api/v1/models/churn/2")["rejected"].AsInt(), 1);
  Post("/api/v1/models/churn/aliases/champion", move, 403);
  approve("mira", "risk", std::string(64, 'b'));  // her latest word counts
  Post("/api/v1/models/churn/aliases/champion", move);
  EXPECT_EQ(Get("/api/v1/models/churn")["aliases"]["champion"].AsInt(), 2);

  Post("/api/v1/models/churn/2/approvals", Json::MakeObject().Set("decision", "maybe"), 400);
  Post("/api/v1/models/churn/2/approvals", Json::MakeObject().Set("decision", "approved").Set("role", "risk").Set("reason", "read it"));
  EXPECT_EQ(Get("/api/v1/audit")["entries"][0]["action"].AsString(), "version.approved");
  EXPECT_TRUE(Post("/api/v1/audit/verify", Json::MakeObject())["faults"].IsArray());
  Get("/api/v1/models/churn/0", 400);
  Get("/api/v1/models/churn/9", 404);
  Get("/api/v1/models/other", 404);
}

TEST_F(V1Test, DatasetsCompareWithTheVersionBefore) {
  data::DatasetVersion v;
  v.dataset = "customers";
  v.md5 = std::string(32, '1');
  v.rows = 10;
  v.time = 1;
  v.schema = {{"a", "int"}, {"b", "string"}};
  v.check = Json::MakeObject().Set("checks", 4).Set("anomalies", Json::MakeArray());
  v.accepted = true;
  ASSERT_TRUE(data::RecordVersion(workspace_->db(), v));
  v.md5 = std::string(32, '2');
  v.time = 2;
  v.schema = {{"a", "float"}, {"c", "string"}};
  v.check.Set("anomalies", Json::MakeArray().Push(Json::MakeObject().Set("severity", "ERROR").Set("column", "a")));
  v.accepted = false;
  ASSERT_TRUE(data::RecordVersion(workspace_->db(), v));
  const Json list = Get("/api/v1/datasets");
  EXPECT_EQ(list[0]["latest"]["number"].AsInt(), 2);
  const Json versions = Get("/api/v1/datasets/customers");
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0]["added"][0].AsString(), "c");
  EXPECT_EQ(versions[0]["removed"][0].AsString(), "b");
  EXPECT_EQ(versions[0]["retyped"][0].AsString(), "a");
  EXPECT_EQ(versions[0]["errors"].AsInt(), 1);
  const std::string run = MakeRun("reader");
  ASSERT_TRUE(workspace_->registry().AddEdges({{"dataset", v.md5, "read", "run", run, 5}, {"run", run, "produced", "version", "churn/1", 6}}));
  const Json one = Get("/api/v1/datasets/customers/2");
  EXPECT_EQ(one["previous_number"].AsInt(), 1);
  ASSERT_EQ(one["used_by"].size(), 2u);
  EXPECT_EQ(one["used_by"][1]["id"].AsString(), "churn/1");
  EXPECT_EQ(Get("/api/v1/runs/" + run)["came_from"][0]["id"].AsString(), "customers/2");
  EXPECT_EQ(Get("/api/v1/lineage?id=customers%2F2")["subject"]["id"].AsString(), v.md5);
  EXPECT_EQ(Get("/api/v1/search?q=custo")[0]["ref"]["id"].AsString().substr(0, 10), "customers/");
  Get("/api/v1/datasets/nobody", 404);
  Get("/api/v1/datasets/customers/7", 404);
}

TEST_F(V1Test, ParquetFilesShowTheirFirstRows) {
  const std::string id = MakeRun("r");
  auto run = workspace_->tracking().GetRun(id);
  ASSERT_TRUE(run);
  table::Frame frame;
  table::Column number, text;
  number.name = "n";
  number.type = table::Type::kInt;
  text.name = "word";
  text.type = table::Type::kString;
  for (int i = 0; i < 300; ++i) {
    number.numbers.push_back(i);
    text.strings.push_back(i % 2 ? "odd" : "");
    text.missing.push_back(i % 2 == 0);
  }
  frame.columns = {number, text};
  ASSERT_TRUE(table::WriteParquet(frame, dir_.path() / "t.parquet"));
  ASSERT_TRUE(workspace_->LogArtifact(*run, dir_.path() / "t.parquet", "t.parquet"));
  ASSERT_TRUE(WriteFileAtomic(dir_.path() / "bad.parquet", "PAR1 this is none"));
  ASSERT_TRUE(workspace_->LogArtifact(*run, dir_.path() / "bad.parquet", "bad.parquet"));
  const std::string base = "/api/v1/runs/" + id + "/table/";
  const Json head = Get(base + "t.parquet?rows=3");
  EXPECT_EQ(head["rows"].AsInt(), 300);
  ASSERT_EQ(head["columns"].size(), 2u);
  EXPECT_EQ(head["columns"][1]["name"].AsString(), "word");
  ASSERT_EQ(head["cells"][0].size(), 3u);
  EXPECT_EQ(head["cells"][0][2].AsString(), "2");
  EXPECT_TRUE(head["cells"][1][0].IsNull());
  EXPECT_EQ(head["cells"][1][1].AsString(), "odd");
  const auto bad = Send("GET", base + "bad.parquet");
  EXPECT_GE(bad.status, 400);
  EXPECT_LT(bad.status, 500);
  EXPECT_EQ(bad.body.find(dir_.path().string()), std::string::npos) << bad.body;
  Get(base + "none.parquet", 404);
  Get(base + "t.csv", 400);
  Get(base + "t.parquet?rows=0", 400);
}

TEST_F(V1Test, ArtifactsAreSandboxedAndStayInTheirFolder) {
  const std::string id = MakeRun("r");
  auto run = workspace_->tracking().GetRun(id);
  ASSERT_TRUE(run);
  EXPECT_EQ(Get("/api/v1/runs/" + id + "/artifacts").size(), 0u);
  Get("/api/v1/runs/" + id + "/artifacts?path=none", 404);
  ASSERT_TRUE(WriteFileAtomic(dir_.path() / "report.html", "<script>alert(1)</script>"));
  ASSERT_TRUE(workspace_->LogArtifact(*run, dir_.path() / "report.html", "model/report.html"));
  EXPECT_TRUE(Get("/api/v1/runs/" + id + "/artifacts")[0]["is_dir"].AsBool());
  EXPECT_EQ(Get("/api/v1/runs/" + id + "/artifacts?path=model")[0]["path"].AsString(), "model/report.html");
  const auto file = Send("GET", "/api/v1/runs/" + id + "/files/model/report.html");
  EXPECT_EQ(file.body, "<script>alert(1)</script>");
  EXPECT_NE(HeaderOf(file, "Content-Security-Policy").find("sandbox"), std::string::npos);
  EXPECT_EQ(HeaderOf(file, "Content-Security-Policy").find("allow-same-origin"), std::string::npos);
  const auto part = Send("GET", "/api/v1/runs/" + id + "/files/model/report.html", {}, {{"Range", "bytes=1-6"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "script");
  EXPECT_EQ(HeaderOf(part, "Content-Range"), "bytes 1-6/25");
  for (const char* path : {"..%2f..%2fsecret.key", "model/../../x", "%2fetc%2fpasswd", "nothing"}) {
    const int status = Send("GET", "/api/v1/runs/" + id + "/files/" + path).status;
    EXPECT_TRUE(status == 400 || status == 404) << path << " " << status;
  }
}

TEST_F(V1Test, WritesFromOtherOriginsAreRefused) {
  MakeVersion(MakeRun("r"), std::string(64, 'a'), 0.84, true);
  const auto r = Send("POST", "/api/v1/models/churn/aliases/champion", R"({"version":1})", {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}});
  EXPECT_EQ(r.status, 403);
  EXPECT_EQ(Get("/api/v1/models/churn")["aliases"].size(), 0u);
}

TEST_F(V1Test, PipelineRunsAndLogs) {
  project_.stages = {};
  auto journal = pipeline::Journal::Open(workspace_->db(), clock_);
  ASSERT_TRUE(journal) << journal.error().Text();
  pipeline::RunRecord run;
  run.id = "p1";
  run.project = "churn";
  run.status = "running";
  run.trigger = "drift";
  run.started = clock_.NowMs();
  run.pid = ::getpid();
  ASSERT_TRUE(journal->StartRun(run, "{}"));
  pipeline::StageRecord stage;
  stage.name = "mine";
  stage.status = "succeeded";
  stage.attempts = 1;
  stage.seconds = 1.5;
  stage.started = clock_.NowMs();
  stage.log = (workspace_->folder() / "runs/p1/mine.log").string();
  stage.why = {{"command", "a", "b"}};
  ASSERT_TRUE(journal->PutStage("p1", 0, stage));
  ASSERT_TRUE(WriteFileAtomic(stage.log, "one\ntwo \xff\n"));
  const Json list = Get("/api/v1/pipeline/runs");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["trigger"].AsString(), "drift");
  EXPECT_EQ(list[0]["stages"][0]["why"][0]["after"].AsString(), "b");
  const Json log = Get("/api/v1/pipeline/runs/p1/logs/mine");
  EXPECT_EQ(log["text"].AsString(), "one\ntwo \xEF\xBF\xBD\n");
  EXPECT_TRUE(log["done"].AsBool());
  EXPECT_EQ(Get("/api/v1/pipeline/runs/p1/logs/mine?offset=4")["text"].AsString().substr(0, 3), "two");
  Get("/api/v1/pipeline/runs/p1/logs/other", 404);
  Get("/api/v1/pipeline/runs/zzz", 404);
  Post("/api/v1/pipeline/runs", Json::MakeObject(), 501);
  std::vector<std::string> got;
  context_.start_run = [&](const std::string& trigger, const std::string&, const std::vector<std::string>& args) -> Result<std::string> {
    got = args;
    return trigger == "api" ? Result<std::string>("p2") : Fail(Code::kInternal, "trigger");
  };
  EXPECT_EQ(Post("/api/v1/pipeline/runs", Json::MakeObject().Set("force", true), 202)["id"].AsString(), "p2");
  EXPECT_EQ(got, std::vector<std::string>{"--force"});
  Post("/api/v1/pipeline/runs", Json::MakeObject().Set("stages", Json::MakeArray().Push("--set=x")), 400);
}

TEST_F(V1Test, PagesAreServedWithTheirPolicy) {
  const auto page = Send("GET", "/models/churn/7");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<p>page</p>");
  EXPECT_NE(HeaderOf(page, "Content-Security-Policy").find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(HeaderOf(page, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(HeaderOf(page, "Cache-Control"), "no-cache");
  EXPECT_EQ(Send("GET", "/", {}, {{"If-None-Match", "\"aaaa\""}}).status, 304);
  const auto raw = Send("GET", "/assets/x-1.js");
  EXPECT_EQ(raw.body, "raw script");
  EXPECT_NE(HeaderOf(raw, "Cache-Control").find("immutable"), std::string::npos);
  const auto packed = Send("GET", "/assets/x-1.js", {}, {{"Accept-Encoding", "br, gzip;q=0.5"}});
  EXPECT_EQ(HeaderOf(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(packed.body, "packed");
  EXPECT_EQ(HeaderOf(packed, "ETag"), "\"bbbb-gz\"");
  EXPECT_EQ(HeaderOf(Send("GET", "/assets/x-1.js", {}, {{"Accept-Encoding", "gzip;q=0"}}), "Content-Encoding"), "");
  EXPECT_EQ(Send("GET", "/assets/none.js").status, 404);
  EXPECT_EQ(Send("GET", "/nothing").status, 404);
  EXPECT_EQ(Send("GET", "/api/v1/nothing").status, 404);
}

TEST_F(V1Test, ChartsGetCurves) {
  auto& t = workspace_->tracking();
  const std::string run = MakeRun("long");
  tracking::LogBatch batch;
  for (int i = 0; i < 900; ++i) batch.metrics.push_back({"loss/x", i == 512 ? 9.5 : i == 600 ? std::nan("") : std::sin(i * 0.01), 1000 + i, i});
  ASSERT_TRUE(t.Log(run, batch));
  const Json curves = Get("/api/v1/metrics?runs=" + run + "&keys=loss/x&columns=20");
  ASSERT_EQ(curves.size(), 1u);
  EXPECT_EQ(curves[0]["run"].AsString(), run);
  EXPECT_EQ(curves[0]["total"].AsInt(), 900);
  EXPECT_EQ(curves[0]["x"].size(), curves[0]["value"].size());
  EXPECT_LE(curves[0]["x"].size(), 100u);
  bool spike = false, gap = false;
  for (const Json& v : curves[0]["value"].AsArray()) {
    spike |= v.IsNumber() && v.AsDouble() == 9.5;
    gap |= v.IsString() && v.AsString() == "NaN";
  }
  EXPECT_TRUE(spike && gap) << curves.Dump();
  const Json part = Get("/api/v1/metrics?runs=" + run + "&keys=loss/x&axis=relative&from=10&to=20");
  EXPECT_EQ(part[0]["x"].size(), 13u) << "11 points and a neighbour on either side";
  EXPECT_EQ(part[0]["x"][0].AsInt(), 9);
  Get("/api/v1/metrics?runs=" + run + "&axis=sideways", 400);
  Get("/api/v1/metrics?runs=" + run + "&from=5&to=4", 400);
  Get("/api/v1/metrics?runs=" + run + "&from=x", 400);
  Get("/api/v1/metrics?runs=0123", 404);
  bool found = false;
  const Json keys = Get("/api/v1/metrics/keys?runs=" + run);
  for (const Json& k : keys.AsArray()) found |= k["key"].AsString() == "loss/x" && k["curves"].AsInt() == 1 && k["runs"].AsInt() == 1;
  EXPECT_TRUE(found) << keys.Dump();
}

}  // namespace
}  // namespace rondo::api
