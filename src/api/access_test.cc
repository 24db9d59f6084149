// Every route says what it needs, and holds to it: without a login, with too few rights, from other origins.
#include "api/access.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "api/endpoints.h"
#include "api/guard.h"
#include "api/infer.h"
#include "api/mlflow.h"
#include "api/monitor.h"
#include "api/static.h"
#include "api/v1.h"
#include "base/file.h"
#include "base/hash.h"
#include "net/client.h"

namespace rondo::api {
namespace {

using govern::Role;

constexpr const char* kSecret = "correct horse battery";

void AddEverything(Router& router) {
  AddSystem(router);
  AddInfer(router);
  AddEndpoints(router);
  AddMonitor(router);
  AddMlflow(router);
  AddV1(router);
  AddPages(router, {});
}

TEST(Access, EveryRouteNamesItsScope) {
  Context context;
  Router router(context);
  AddEverything(router);
  int rows = 0;
  for (const auto& row : router.rows()) {
    ++rows;
    if (row->access.permission == Permission::kPublic) continue;
    EXPECT_NE(row->access.scope, Scope::kUnset) << row->method << " " << row->pattern << ": say whose grants open it, as in Permission::kWrite | Scope::kRun (api/access.h)";
  }
  EXPECT_GT(rows, 150);
}

TEST(Access, WhatIsOpenToAnybody) {
  Context context;
  Router router(context);
  AddEverything(router);
  std::vector<std::string> open;
  for (const auto& row : router.rows())
    if (row->access.permission == Permission::kPublic) open.push_back(row->method + " " + row->pattern);
  std::ranges::sort(open);
  // A new line here is a decision: it is answered to the whole network.
  const std::vector<std::string> known = {"GET /ajax-api/3.0/mlflow/server-info", "GET /api/3.0/mlflow/server-info", "GET /api/v1/openapi.json", "GET /api/v1/session", "GET /api/v1/version", "GET /health",
                                          "GET /v2/health/live", "GET /v2/health/ready", "GET /version", "POST /api/v1/hooks/{name}", "POST /api/v1/session", "POST /api/v1/setup"};
  EXPECT_EQ(open, known);
}

class AccessTest : public testing::Test {
 protected:
  void SetUp() override {
    workspace_ = *workspace::Workspace::Open(dir_.path() / "data", clock_);
    accounts_ = *govern::Accounts::Open(workspace_->db(), clock_, "0123456789abcdef0123456789abcdef");
    context_.workspace = workspace_.get();
    context_.accounts = accounts_.get();
    context_.login = true;
    router_ = std::make_unique<Router>(context_);
    AddEverything(*router_);
    net::ServerOptions options;
    options.spool = dir_.path();
    server_ = std::move(*net::Server::Start(options, router_->Build()));
    auto& t = workspace_->tracking();
    experiment_ = *t.CreateExperiment("team/secret", {});
    run_ = t.CreateRun(experiment_, "root", "r", 1, {})->run_id;
    other_run_ = t.CreateRun("0", "root", "r", 1, {})->run_id;
    model_ = workspace_->logged_models().Create({"", experiment_, "m", "", "", "", "", 0, 0, {}, {}, {}})->model_id;
    EXPECT_TRUE(workspace_->registry().CreateModel("churn", "", {}));
    registry::Version v;
    v.name = "churn";
    v.source = "mlflow-artifacts:/" + experiment_ + "/" + run_ + "/artifacts/model";
    v.run_id = run_;
    EXPECT_TRUE(workspace_->registry().CreateVersion(v));
  }
  void TearDown() override { server_->Drain(1000); }

  std::string User(const std::string& name) {
    EXPECT_TRUE(accounts_->Create("root", name, "service", ""));
    return "Bearer " + accounts_->CreateToken("root", name, "t", 0)->secret;
  }
  void Give(const std::string& user, Role role, govern::Resource on = {}) {
    const auto ok = accounts_->SetGrant("root", {"user", user, std::move(on), role, 0, ""});
    EXPECT_TRUE(ok) << ok.error().Text();
  }
  net::ClientResponse Send(const std::string& method, const std::string& path, const std::string& who, const std::string& body = {}, net::Headers headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
    request.headers = std::move(headers);
    if (!who.empty()) request.headers.emplace_back("Authorization", who);
    if (!body.empty() && std::ranges::none_of(request.headers, [](const auto& h) { return h.first == "Content-Type"; })) request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
    auto response = net::Fetch(request);
    EXPECT_TRUE(response) << method << " " << path << ": " << (response ? "" : response.error().Text());
    return response ? *response : net::ClientResponse{};
  }
  int Code(const std::string& method, const std::string& path, const std::string& who, const std::string& body = {}, net::Headers headers = {}) { return Send(method, path, who, body, std::move(headers)).status; }
  Json Answer(const std::string& method, const std::string& path, const std::string& who, const std::string& body = {}, int status = 200) {
    const auto r = Send(method, path, who, body);
    EXPECT_EQ(r.status, status) << method << " " << path << "\n" << r.body;
    return ParseJson(r.body).value_or(Json());
  }

  /// A request to the row that names existing things of the locked experiment and model.
  std::pair<std::string, std::string> RequestFor(const RouteRow& row) const {
    std::string path;
    for (size_t i = 0; i < row.pattern.size(); ++i) {
      if (row.pattern[i] != '{') {
        path += row.pattern[i];
        continue;
      }
      const size_t end = row.pattern.find('}', i);
      const std::string name = row.pattern.substr(i + 1, end - i - 1);
      i = end;
      if (name == "path...") path += row.access.scope == Scope::kArtifact ? experiment_ + "/" + run_ + "/artifacts/x" : "x";
      else if (row.access.scope == Scope::kLoggedModel && name == "id") path += model_;
      else if (row.access.scope == Scope::kExperiment && name == "id") path += experiment_;
      else if (name == "id" || name == "run") path += run_;
      else if (name == "version" || name == "number") path += "1";
      else if (name == "action") path += "pause";
      else path += "churn";
    }
    const std::string query = "?path=" + experiment_ + "/x&artifact_path=x&run_id=" + run_ + "&run_uuid=" + run_ + "&runs=" + run_ + "&run_ids=" + run_ + "&experiment_id=" + experiment_ + "&name=churn&version=1&key=k&metric_key=k&alias=a&username=x";
    Json body = Json::MakeObject();
    body.Set("run_id", run_).Set("experiment_id", experiment_).Set("name", row.access.scope == Scope::kNewExperiment ? "team/new" : "churn").Set("new_name", "other").Set("model_id", model_).Set("path", experiment_ + "/x");
    if (row.access.scope == Scope::kExperiment) body.Erase("new_name");
    return {row.method == "GET" || row.method == "DELETE" ? path + (row.access.scope == Scope::kArtifact && row.pattern.ends_with("...}") ? "" : query) : path, row.method == "GET" || row.method == "DELETE" ? std::string() : body.Dump()};
  }

  TempDir dir_;
  FakeClock clock_;
  Context context_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::unique_ptr<govern::Accounts> accounts_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<net::Server> server_;
  std::string experiment_, run_, other_run_, model_;
};

TEST_F(AccessTest, EveryRouteRefusesStrangers) {
  for (const auto& row : router_->rows()) {
    if (row->access.permission == Permission::kPublic) continue;
    const auto [path, body] = RequestFor(*row);
    for (const std::string who : {"", "Bearer rdo_00000000_0000000000000000000000000000000000000000", "Bearer x", "Negotiate abc", "Basic Og=="}) {
      const auto r = Send(row->method, path, who, body);
      EXPECT_EQ(r.status, 401) << row->method << " " << path << " as \"" << who << "\": " << r.body.substr(0, 200);
      EXPECT_TRUE(r.Header("WWW-Authenticate").starts_with(row->errors == ErrorStyle::kRondo ? "Bearer realm=" : "Basic realm=")) << path;
    }
    if (row->method == "GET") { EXPECT_EQ(Code("HEAD", path, ""), 401) << path; }
  }
}

TEST_F(AccessTest, EveryRouteRefusesTooFewRights) {
  const std::string nobody = User("nobody"), viewer = User("viewer"), editor = User("editor"), manager = User("manager");
  Give("viewer", Role::kViewer);
  Give("editor", Role::kEditor);
  Give("manager", Role::kManager);
  for (const auto& row : router_->rows()) {
    const Access access = row->access;
    if (access.permission == Permission::kPublic || access.scope == Scope::kSelf) continue;
    const auto [path, body] = RequestFor(*row);
    const std::string what = row->method + " " + path + " " + body;
    if (access.scope != Scope::kListed) { EXPECT_EQ(Code(row->method, path, nobody, body), 403) << what; }
    if (access.permission == Permission::kWrite || access.permission == Permission::kManage || access.permission == Permission::kAdmin) { EXPECT_EQ(Code(row->method, path, viewer, body), 403) << what; }
    if (access.permission == Permission::kManage || access.permission == Permission::kAdmin) { EXPECT_EQ(Code(row->method, path, editor, body), 403) << what; }
    if (access.permission == Permission::kAdmin) { EXPECT_EQ(Code(row->method, path, manager, body), 403) << what; }
    // And it is not that everything is refused.
    if (access.permission == Permission::kRead && !row->raw) {
      const int status = Code(row->method, path, viewer, body);
      EXPECT_TRUE(status != 401 && status != 403) << what << ": " << status;
    }
  }
}

TEST_F(AccessTest, RightsOnOneThingOpenNoOther) {
  const std::string anna = User("anna");
  Give("anna", Role::kManager, {"folder", "team"});
  Give("anna", Role::kManager, {"model", "loyalty*"});
  const auto run = [&](const std::string& id) { return "/api/2.0/mlflow/runs/get?run_id=" + id; };
  EXPECT_EQ(Code("GET", run(run_), anna), 200);
  EXPECT_EQ(Code("GET", run(other_run_), anna), 403);
  EXPECT_EQ(Code("GET", run("0123456789abcdef0123456789abcdef"), anna), 404);
  // The one that the handler reads may be any of them: all must be allowed.
  EXPECT_EQ(Code("GET", run(run_) + "&run_uuid=" + other_run_, anna), 403);
  EXPECT_EQ(Code("GET", run(other_run_) + "&run_uuid=" + run_, anna), 403);
  EXPECT_EQ(Code("GET", run(run_) + "&run_id=" + other_run_, anna), 403);
  const auto log = [&](const std::string& a, const std::string& b) {
    return Code("POST", "/api/2.0/mlflow/runs/log-parameter", anna, fmt::format(R"({{"run_id": "{}", "run_uuid": "{}", "key": "k", "value": "v"}})", a, b));
  };
  EXPECT_EQ(log(run_, run_), 200);
  EXPECT_EQ(log(run_, other_run_), 403);
  EXPECT_EQ(log(other_run_, run_), 403);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/runs/log-parameter", anna, fmt::format(R"({{"run_id": "{}", "run_id": "{}", "key": "k2", "value": "w"}})", run_, other_run_)), 400) << "twice the same name";
  EXPECT_TRUE(workspace_->tracking().GetRun(other_run_)->params.empty());
  // A body that is a text with JSON in it is what old clients send.
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/runs/log-parameter", anna, Json(fmt::format(R"({{"run_id": "{}", "key": "k", "value": "v"}})", other_run_)).Dump()), 403);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/runs/create", anna, fmt::format(R"({{"experiment_id": "{}"}})", experiment_)), 200);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/runs/create", anna, R"({"experiment_id": "0"})"), 403);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/runs/create", anna, R"({"experiment_id": 0})"), 403);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/runs/create", anna, "{}"), 403) << "without an id it goes to experiment 0";
  // Artifacts by their path.
  const std::string proxy = "/api/2.0/mlflow-artifacts/artifacts/";
  EXPECT_EQ(Code("PUT", proxy + experiment_ + "/" + run_ + "/artifacts/a.txt", anna, "hello"), 200);
  EXPECT_EQ(Code("GET", proxy + experiment_ + "/" + run_ + "/artifacts/a.txt", anna), 200);
  EXPECT_EQ(Code("PUT", proxy + "0/" + other_run_ + "/artifacts/a.txt", anna, "hello"), 403);
  for (const std::string path : {"0/x", "%30/x", "models/x", "x"}) EXPECT_EQ(Code("GET", proxy + path, anna), 403) << path;
  for (const std::string& path : std::vector<std::string>{experiment_ + "/../0/x", experiment_ + "%2f..%2f0/x", "/0/x", ".%2f0/x"}) {
    const int status = Code("GET", proxy + path, anna);
    EXPECT_TRUE(status == 403 || status == 400 || status == 404) << path << ": " << status;
  }
  EXPECT_EQ(Code("GET", "/api/2.0/mlflow-artifacts/artifacts?path=0", anna), 403);
  EXPECT_EQ(Code("GET", "/api/2.0/mlflow-artifacts/artifacts", anna), 403);
  // Models by pattern.
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/registered-models/create", anna, R"({"name": "loyalty-eu"})"), 200);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/registered-models/create", anna, R"({"name": "churn2"})"), 403);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/registered-models/rename", anna, R"({"name": "loyalty-eu", "new_name": "churn2"})"), 403);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/registered-models/rename", anna, R"({"name": "loyalty-eu", "new_name": "loyalty-us"})"), 200);
  // A version must not become a window into an experiment that its maker may not read.
  const auto version = [&](const std::string& source) { return Code("POST", "/api/2.0/mlflow/model-versions/create", anna, fmt::format(R"({{"name": "loyalty-us", "source": "{}"}})", source)); };
  EXPECT_EQ(version("mlflow-artifacts:/0/" + other_run_ + "/artifacts/model"), 403);
  EXPECT_EQ(version("runs:/" + other_run_ + "/model"), 403);
  EXPECT_NE(version("models:/churn/1"), 403) << "it lies in an experiment that anna may read";
  // Renaming moves between folders: both ends count.
  const auto rename = [&](const std::string& name) { return Code("POST", "/api/2.0/mlflow/experiments/update", anna, fmt::format(R"({{"experiment_id": "{}", "new_name": "{}"}})", experiment_, name)); };
  EXPECT_EQ(rename("top"), 403);
  EXPECT_EQ(rename("others/x"), 403);
  EXPECT_EQ(rename("team/deep/x"), 200);
}

TEST_F(AccessTest, ListsShowWhatMayBeReadWithFullPages) {
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(workspace_->tracking().CreateExperiment(fmt::format("{}/e{:02}", i % 4 == 0 ? "mine" : "theirs", i), {}));
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(workspace_->registry().CreateModel(fmt::format("{}-{:02}", i % 3 == 0 ? "mine" : "theirs", i), "", {}));
  const std::string anna = User("anna");
  EXPECT_EQ(Send("POST", "/api/2.0/mlflow/experiments/search", anna, R"({"max_results": 10})").body, "{}");
  Give("anna", Role::kViewer, {"folder", "mine"});
  Give("anna", Role::kViewer, {"model", "mine-*"});
  std::vector<std::string> seen;
  std::string token;
  int pages = 0;
  do {
    const Json page = Answer("POST", "/api/2.0/mlflow/experiments/search", anna, Json::MakeObject().Set("max_results", 4).Set("page_token", token).Set("order_by", Json::MakeArray().Push("name ASC")).Dump());
    for (const Json& e : page["experiments"].AsArray()) seen.push_back(e["name"].AsString());
    token = page["next_page_token"].AsString();
    if (!token.empty()) { EXPECT_EQ(page["experiments"].size(), 4u); }
    ++pages;
  } while (!token.empty() && pages < 20);
  std::vector<std::string> want;
  for (int i = 0; i < 40; i += 4) want.push_back(fmt::format("mine/e{:02}", i));
  EXPECT_EQ(seen, want);
  EXPECT_EQ(Answer("GET", "/api/2.0/mlflow/registered-models/search?max_results=100", anna)["registered_models"].size(), 4u);
  EXPECT_EQ(Answer("GET", "/api/v1/models", anna).size(), 4u);
  EXPECT_EQ(Answer("GET", "/api/v1/experiments", anna).size(), 10u);
  EXPECT_EQ(Send("GET", "/api/2.0/mlflow/model-versions/search?max_results=100", anna).body, "{}");
  // Searching in an experiment by its number gives nothing away either.
  EXPECT_EQ(Send("POST", "/api/2.0/mlflow/runs/search", anna, fmt::format(R"({{"experiment_ids": ["0", "{}"]}})", experiment_)).body, "{}");
  EXPECT_EQ(Send("POST", "/api/2.0/mlflow/logged-models/search", anna, fmt::format(R"({{"experiment_ids": ["{}"]}})", experiment_)).body, "{}");
  EXPECT_EQ(Answer("GET", "/api/v1/runs", anna)["runs"].size(), 0u);
  Give("anna", Role::kViewer, {"folder", "team"});
  EXPECT_EQ(Answer("POST", "/api/2.0/mlflow/runs/search", anna, fmt::format(R"({{"experiment_ids": ["0", "{}"]}})", experiment_))["runs"].size(), 1u);
}

TEST_F(AccessTest, WhoMakesManages) {
  const std::string anna = User("anna"), bob = User("bob");
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/experiments/create", anna, R"({"name": "mine"})"), 403);
  Give("anna", Role::kEditor);
  const std::string id = Answer("POST", "/api/2.0/mlflow/experiments/create", anna, R"({"name": "mine"})")["experiment_id"].AsString();
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/experiments/delete", anna, R"({"experiment_id": "0"})"), 403) << "an editor deletes nothing of others";
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/experiments/delete", anna, fmt::format(R"({{"experiment_id": "{}"}})", id)), 200);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/experiments/restore", anna, fmt::format(R"({{"experiment_id": "{}"}})", id)), 200);
  // A manager shares.
  const auto grant = [&](const std::string& who, const std::string& kind, const std::string& name, const std::string& role) {
    return Code("POST", "/api/v1/grants", who, fmt::format(R"({{"subject": "bob", "resource_kind": "{}", "resource": "{}", "role": "{}"}})", kind, name, role));
  };
  EXPECT_EQ(Code("GET", "/api/2.0/mlflow/experiments/get?experiment_id=" + id, bob), 403);
  EXPECT_EQ(grant(anna, "experiment", id, "viewer"), 200);
  EXPECT_EQ(Code("GET", "/api/2.0/mlflow/experiments/get?experiment_id=" + id, bob), 200);
  EXPECT_EQ(grant(bob, "experiment", id, "manager"), 403);
  EXPECT_EQ(grant(anna, "experiment", "0", "viewer"), 403);
  EXPECT_EQ(grant(anna, "server", "", "viewer"), 403);
  EXPECT_EQ(grant(anna, "folder", "team", "viewer"), 403);
  EXPECT_EQ(grant(anna, "experiment", "999", "viewer"), 404);
  EXPECT_EQ(Answer("GET", "/api/v1/grants", bob).size(), 1u);
  // Models: the grant goes with the model, and is not there for the next of that name.
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/registered-models/create", anna, R"({"name": "own"})"), 200);
  EXPECT_EQ(grant(anna, "model", "own", "editor"), 200);
  EXPECT_EQ(grant(anna, "model", "*", "editor"), 403);
  EXPECT_EQ(Code("DELETE", "/api/2.0/mlflow/registered-models/delete", anna, R"({"name": "own"})"), 200);
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/registered-models/create", anna, R"({"name": "own"})"), 200);
  EXPECT_EQ(Code("GET", "/api/2.0/mlflow/registered-models/get?name=own", bob), 403);
  // A model called like a pattern gives no rights on others.
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/registered-models/create", anna, R"({"name": "ch*"})"), 200);
  EXPECT_EQ(Code("DELETE", "/api/2.0/mlflow/registered-models/delete", anna, R"({"name": "churn"})"), 403);
}

TEST_F(AccessTest, AccountsOverHttp) {
  const std::string root = User("boss");
  Give("boss", Role::kAdmin);
  Answer("POST", "/api/v1/users", root, fmt::format(R"({{"name": "anna", "password": "{}", "role": "viewer"}})", kSecret), 201);
  const std::string anna = "Basic " + Base64Encode(std::string("anna:") + kSecret);
  EXPECT_EQ(Answer("GET", "/api/v1/users/anna", anna)["role"].AsString(), "viewer");
  EXPECT_EQ(Code("GET", "/api/v1/users/boss", anna), 403);
  EXPECT_EQ(Code("GET", "/api/v1/users", anna), 403);
  // Tokens: one's own, shown once.
  const Json token = Answer("POST", "/api/v1/tokens", anna, R"({"name": "laptop", "days": 30})", 201);
  const std::string secret = token["secret"].AsString();
  EXPECT_EQ(Answer("GET", "/api/v1/tokens", "Bearer " + secret)[size_t{0}]["name"].AsString(), "laptop");
  EXPECT_EQ(Send("GET", "/api/v1/tokens", root).body.find(secret), std::string::npos);
  EXPECT_EQ(Code("POST", "/api/v1/tokens", anna, R"({"name": "x", "user": "boss"})"), 403);
  EXPECT_EQ(Code("GET", "/api/v1/tokens?user=boss", anna), 403);
  const std::string boss_token = Answer("GET", "/api/v1/tokens?user=boss", root)[size_t{0}]["id"].AsString();
  EXPECT_EQ(Code("DELETE", "/api/v1/tokens/" + boss_token, anna), 404);
  EXPECT_EQ(Code("DELETE", "/api/v1/tokens/" + token["id"].AsString(), anna), 200);
  EXPECT_EQ(Code("GET", "/api/v1/tokens", "Bearer " + secret), 401);
  // A password takes the present one.
  EXPECT_EQ(Code("POST", "/api/v1/users/anna/password", anna, R"({"password": "another long secret", "current": "wrong"})"), 403);
  EXPECT_EQ(Code("POST", "/api/v1/users/anna/password", anna, fmt::format(R"({{"password": "another long secret", "current": "{}"}})", kSecret)), 200);
  EXPECT_EQ(Code("GET", "/api/v1/users/anna", anna), 401);
  EXPECT_EQ(Code("POST", "/api/v1/users/boss/password", "Basic " + Base64Encode("anna:another long secret"), R"({"password": "yet another secret"})"), 403);
  // Groups.
  Answer("POST", "/api/v1/groups", root, R"({"name": "risk"})", 201);
  EXPECT_EQ(Code("PUT", "/api/v1/groups/risk/members/anna", root), 200);
  EXPECT_EQ(Answer("GET", "/api/v1/users/anna", root)["groups"][size_t{0}].AsString(), "risk");
  EXPECT_EQ(Code("DELETE", "/api/v1/users/boss", root), 409) << "the last administrator";
  EXPECT_EQ(Code("DELETE", "/api/v1/users/anna", root), 200);
}

TEST_F(AccessTest, ApprovalsAreInOnesOwnRole) {
  const std::string anna = User("anna");
  Give("anna", Role::kEditor, {"model", "churn"});
  EXPECT_TRUE(workspace_->registry().SetDigest("churn", 1, std::string(64, 'a')));
  const std::string path = "/api/v1/models/churn/1/approvals", body = R"({"decision": "approved", "role": "risk"})";
  EXPECT_EQ(Code("POST", path, anna, body), 403);
  EXPECT_TRUE(accounts_->CreateGroup("root", "risk"));
  EXPECT_EQ(Code("POST", path, anna, body), 403);
  EXPECT_TRUE(accounts_->SetMember("root", "risk", "anna", true));
  EXPECT_EQ(Code("POST", path, anna, body), 200);
  EXPECT_EQ((*workspace_->approvals().Of("churn", 1))[0].actor, "anna");
}

TEST_F(AccessTest, MlflowsOwnAdministration) {
  const std::string root = User("boss");
  Give("boss", Role::kAdmin);
  const std::string base = "/api/2.0/mlflow";
  const Json made = Answer("POST", base + "/users/create", root, fmt::format(R"({{"username": "anna", "password": "{}"}})", kSecret));
  EXPECT_EQ(made["user"]["username"].AsString(), "anna");
  EXPECT_FALSE(made["user"]["is_admin"].AsBool(true));
  EXPECT_EQ(Answer("POST", base + "/users/create", root, fmt::format(R"({{"username": "anna", "password": "{}"}})", kSecret), 400)["error_code"].AsString(), "RESOURCE_ALREADY_EXISTS");
  const std::string anna = "Basic " + Base64Encode(std::string("anna:") + kSecret);
  EXPECT_EQ(Answer("GET", base + "/users/current", anna)["user"]["username"].AsString(), "anna");
  const std::string body = fmt::format(R"({{"experiment_id": "{}", "username": "anna", "permission": "READ"}})", experiment_);
  EXPECT_EQ(Code("POST", base + "/experiments/permissions/create", anna, body), 403);
  EXPECT_EQ(Answer("POST", base + "/experiments/permissions/create", root, body)["experiment_permission"]["permission"].AsString(), "READ");
  EXPECT_EQ(Code("GET", base + "/experiments/get?experiment_id=" + experiment_, anna), 200);
  EXPECT_EQ(Answer("GET", base + "/users/get?username=anna", root)["user"]["experiment_permissions"].size(), 1u);
  Answer("PATCH", base + "/experiments/permissions/update", root, fmt::format(R"({{"experiment_id": "{}", "username": "anna", "permission": "MANAGE"}})", experiment_));
  EXPECT_EQ(Answer("GET", base + "/experiments/permissions/get?experiment_id=" + experiment_ + "&username=anna", root)["experiment_permission"]["permission"].AsString(), "MANAGE");
  Answer("DELETE", base + "/experiments/permissions/delete", root, fmt::format(R"({{"experiment_id": "{}", "username": "anna"}})", experiment_));
  EXPECT_EQ(Code("GET", base + "/experiments/get?experiment_id=" + experiment_, anna), 403);
  EXPECT_EQ(Answer("PATCH", base + "/users/update-admin", root, R"({"username": "anna", "is_admin": true})"), Json::MakeObject());
  EXPECT_EQ(Code("GET", base + "/users/list", anna), 200);
  Answer("DELETE", base + "/users/delete", root, R"({"username": "anna"})");
  EXPECT_EQ(Code("GET", base + "/users/current", anna), 401);
}

// The attack list: weak and default credentials, create-user bypass.
TEST_F(AccessTest, NoAccountIsThereBeforeOneIsMade) {
  for (const char* pair : {"admin:password", "admin:password1234", "admin:admin", "root:root", ":", "admin:", "rondo:rondo"})
    EXPECT_EQ(Code("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", "Basic " + Base64Encode(pair)), 401) << pair;
  for (const char* path : {"/api/2.0/mlflow/users/create", "/ajax-api/2.0/mlflow/users/create", "/api/v1/users"})
    EXPECT_EQ(Code("POST", path, "", R"({"username": "eve", "name": "eve", "password": "correct horse battery"})"), 401) << path;
  EXPECT_EQ(Code("POST", "/api/v1/setup", "", R"({"code": "", "name": "eve", "password": "correct horse battery"})"), 401);
  const std::string code = accounts_->NewSetupCode();
  EXPECT_EQ(Code("POST", "/api/v1/setup", "", R"({"code": "00000000000000000000000000000000", "name": "eve", "password": "correct horse battery"})"), 401);
  EXPECT_TRUE(Answer("GET", "/api/v1/session", "")["setup"].AsBool());
  const auto made = Send("POST", "/api/v1/setup", "", fmt::format(R"({{"code": "{}", "name": "anna", "password": "correct horse battery"}})", code));
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(Code("POST", "/api/v1/setup", "", fmt::format(R"({{"code": "{}", "name": "eve", "password": "correct horse battery"}})", code)), 401);
  EXPECT_FALSE(Answer("GET", "/api/v1/session", "")["setup"].AsBool(true));
}

TEST_F(AccessTest, GuessingGets429) {
  accounts_->NewSetupCode();
  EXPECT_TRUE(accounts_->Create("root", "anna", "person", kSecret));
  net::ClientResponse last;
  for (int i = 0; i < 6; ++i) last = Send("GET", "/api/2.0/mlflow/users/current", "Basic " + Base64Encode(fmt::format("anna:wrong password {}", i)));
  EXPECT_EQ(last.status, 429);
  EXPECT_FALSE(last.Header("Retry-After").empty());
  EXPECT_EQ(Code("POST", "/api/v1/session", "", R"({"name": "anna", "password": "wrong password 7"})"), 429) << "the form shares the bucket";
}

// The attack list: DNS rebinding, CSRF, login CSRF.
TEST_F(AccessTest, CookiesNeedOurPages) {
  EXPECT_TRUE(accounts_->Create("root", "anna", "person", kSecret));
  Give("anna", Role::kAdmin);
  const auto login = Send("POST", "/api/v1/session", "", fmt::format(R"({{"name": "anna", "password": "{}"}})", kSecret));
  ASSERT_EQ(login.status, 200) << login.body;
  const std::string set = login.Header("Set-Cookie");
  for (const char* flag : {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="}) EXPECT_NE(set.find(flag), std::string::npos) << set;
  EXPECT_EQ(set.find("Secure"), std::string::npos) << "over plain HTTP the browser would drop it";
  const std::string cookie = set.substr(0, set.find(';'));
  const std::string csrf = ParseJson(login.body)->operator[]("csrf").AsString();
  EXPECT_EQ(Answer("GET", "/api/v1/session", "")["known"].AsBool(true), false);
  const auto me = ParseJson(Send("GET", "/api/v1/session", "", "", {{"Cookie", "a=b; " + cookie}}).body);
  EXPECT_EQ((*me)["name"].AsString(), "anna");
  EXPECT_EQ((*me)["csrf"].AsString(), csrf);
  EXPECT_EQ(Code("GET", "/api/v1/users", "", "", {{"Cookie", cookie}}), 200);
  const std::string body = R"({"name": "new"})";
  for (const std::string root : {"/api/2.0", "/ajax-api/2.0"}) {
    const std::string path = root + "/mlflow/experiments/create";
    EXPECT_EQ(Code("POST", path, "", body, {{"Cookie", cookie}}), 403) << "no header";
    EXPECT_EQ(Code("POST", path, "", body, {{"Cookie", cookie}, {"X-Rondo-CSRF", "00000000000000000000000000000000"}}), 403);
    EXPECT_EQ(Code("POST", path, "", body, {{"Cookie", cookie}, {"X-Rondo-CSRF", csrf}, {"Origin", "http://evil.example"}}), 403) << "another origin";
    EXPECT_EQ(Code("POST", path, "", body, {{"Cookie", cookie}, {"X-Rondo-CSRF", csrf}, {"Origin", "null"}}), 403);
  }
  EXPECT_EQ(Code("POST", "/api/2.0/mlflow/experiments/create", "", body, {{"Cookie", cookie}, {"X-Rondo-CSRF", csrf}}), 200);
  // No CORS: whoever asks first gets no permission.
  const auto preflight = Send("OPTIONS", "/api/2.0/mlflow/experiments/create", "", "", {{"Origin", "http://evil.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(preflight.status, 405);
  EXPECT_EQ(preflight.Header("Access-Control-Allow-Origin"), "");
  // A form of another site can't log the browser in under its name.
  EXPECT_EQ(Code("POST", "/api/v1/session", "", fmt::format(R"({{"name": "anna", "password": "{}"}})", kSecret), {{"Content-Type", "text/plain"}}), 400);
  EXPECT_EQ(Code("DELETE", "/api/v1/session", "", "", {{"Cookie", cookie}, {"X-Rondo-CSRF", csrf}}), 200);
  EXPECT_EQ(Code("GET", "/api/v1/users", "", "", {{"Cookie", cookie}}), 401);
}

TEST_F(AccessTest, OnlyOurHostNames) {
  context_.allowed_hosts = {"127.0.0.1", "localhost"};
  for (const char* path : {"/health", "/api/v1/session", "/api/v1/users", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0"}) EXPECT_EQ(Code("GET", path, "", "", {{"Host", "evil.example"}}), 403) << path;
  EXPECT_EQ(Code("GET", "/health", ""), 200);
}

TEST_F(AccessTest, TheEnvironmentsTokenDoesEverything) {
  const std::string token = "a long token of the environment";
  context_.tokens = {Sha256Hex(token)};
  EXPECT_EQ(Code("GET", "/api/v1/users", "Bearer " + token), 200);
  EXPECT_EQ(Code("GET", "/api/v1/users", "Basic " + Base64Encode("any:" + token)), 200);
  EXPECT_EQ(Code("GET", "/api/v1/users", "Bearer " + token + "x"), 401);
  const auto login = Send("POST", "/api/v1/session", "", Json::MakeObject().Set("token", token).Dump());
  EXPECT_EQ(login.status, 200) << login.body;
  context_.login = false;  // a token alone, as before there were accounts
  EXPECT_EQ(Code("GET", "/api/v1/models", "Bearer " + token), 200);
  EXPECT_EQ(Code("GET", "/api/v1/models", ""), 401);
  EXPECT_EQ(Code("GET", "/api/v1/models", User("anna")), 401) << "accounts are off";
  context_.tokens.clear();
  EXPECT_EQ(Code("GET", "/api/v1/models", ""), 200) << "loopback";
}

}  // namespace
}  // namespace rondo::api
