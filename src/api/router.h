/// Routes: one row per endpoint, in the file of its resource. Everything that needs the list derives from the rows: dispatch, permission
/// checks, OpenAPI, metrics labels, docs.
///
///   void AddRuns(Router& router) {
///     router.Get("/api/v1/runs/{id}", Permission::kRead | Scope::kRun, "One run", [](Call& call) -> Result<net::Response> {
///       RONDO_TRY(auto run, call.workspace().tracking().GetRun(call.Path("id")));
///       return JsonResponse(ToJson(run));
///     });
///   }
/// Patterns: literal segments and `{name}` (one segment, percent-decoded); `{name...}` at the end takes the rest of the path.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/access.h"
#include "base/json_map.h"
#include "base/json_schema.h"
#include "base/result.h"
#include "govern/accounts.h"
#include "net/server.h"
#include "workspace/workspace.h"

namespace rondo::project {
struct Project;
}
namespace rondo::blob {
class BlobStore;
}
namespace rondo::registry {
class Webhooks;
class WebhookSender;
}
namespace rondo::serving {
class Server;
}
namespace rondo::monitor {
class Monitor;
}

namespace rondo::api {

/// What handlers may reach; built in app, outlives the server.
struct Context {
  workspace::Workspace* workspace = nullptr;
  const project::Project* project = nullptr;  ///< null when the server has no project folder
  std::string project_root;                   ///< its folder; empty likewise
  serving::Server* serving = nullptr;
  monitor::Monitor* monitor = nullptr;
  /// Starts a pipeline run (a child `rondo run`); returns its id. Set by app.
  std::function<Result<std::string>(const std::string& trigger, const std::string& cause, const std::vector<std::string>& args)> start_run;
  /// A call of the webhook trigger `name`, proved by its secret or by the body's signature; returns the id of the run, the same one for a repeated key. Set by app.
  struct HookCall {
    std::string name, secret, signature, key;
    std::string_view body;
  };
  std::function<Result<std::string>(const HookCall&)> call_hook;
  govern::Accounts* accounts = nullptr;       ///< users, tokens and grants; may be null in tests
  bool login = false;                         ///< ask who one is (every address but loopback)
  std::vector<std::string> tokens;            ///< SHA-256 hex of tokens that may do everything (RONDO_TOKEN); also turn login on
  std::vector<std::string> allowed_hosts;     ///< values of the Host header that are answered; guards against DNS rebinding
  registry::Webhooks* webhooks = nullptr;
  registry::WebhookSender* webhook_sender = nullptr;
  std::string artifact_root;                  ///< where artifacts of new experiments go; empty: this data folder
  bool local_artifacts = false;               ///< clients may name folders of the machine as places of artifacts
  std::filesystem::path local_root;           ///< the one of them that this server reads itself
  std::shared_ptr<blob::BlobStore> local_store;
  std::string ui_dir;                         ///< serve the pages from this folder (development); empty: embedded
};

class Call {
 public:
  Call(Context& context, net::Request&& request, std::vector<std::pair<std::string, std::string>> path, govern::Caller caller)
      : context_(context), request_(std::move(request)), path_(std::move(path)), caller_(std::move(caller)) {}
  Context& context() { return context_; }
  workspace::Workspace& workspace() { return *context_.workspace; }
  const net::Request& request() const { return request_; }
  const std::string& Path(std::string_view name) const;
  /// Query argument, or `otherwise`.
  std::string Query(std::string_view name, std::string_view otherwise = {}) const;
  Result<int64_t> QueryInt(std::string_view name, int64_t otherwise, int64_t low, int64_t high) const;
  /// The body as JSON into a described struct; an empty body is {}.
  template <typename T>
  Result<T> Body(UnknownKeys unknown = UnknownKeys::kError) const {
    return ReadJson<T>(request_.body.empty() ? std::string_view("{}") : std::string_view(request_.body), unknown);
  }
  const govern::Caller& caller() const { return caller_; }
  /// Who asks, for the audit log.
  const std::string& actor() const { return caller_.name(); }
  /// What lists (Scope::kListed) may show.
  bool MayReadAll() const { return caller_.OnServer() >= govern::Role::kViewer; }
  bool MayRead(const std::string& experiment_id, std::string_view experiment_name) const;
  bool MayReadModel(std::string_view name) const;
  bool MayReadEndpoint(std::string_view name) const;
  /// Those of the experiments that the caller may read, in their order.
  Result<std::vector<std::string>> ReadableExperiments(const std::vector<std::string>& ids);

 private:
  Context& context_;
  net::Request request_;
  std::vector<std::pair<std::string, std::string>> path_;
  govern::Caller caller_;
};

using Handler = std::function<Result<net::Response>(Call&)>;
/// For answers that come later or stream: takes the reply.
using RawHandler = std::function<void(Call&, net::Reply)>;
/// Turns an error into the answer's body; the families speak differently (MLflow: error_code; inference: error).
enum class ErrorStyle { kRondo, kMlflow, kInference };

struct RouteRow {
  std::string method, pattern;
  Access access;
  std::string summary;
  Handler handler;
  RawHandler raw;
  ErrorStyle errors = ErrorStyle::kRondo;
  net::RunOn run_on = net::RunOn::kPool;
  uint64_t max_body = 16u << 20;
  bool spool_body = false;
  Json body_schema;  ///< JSON Schema of the request body, for OpenAPI; null when there is none
  Json answer_schema, answer_definitions;  ///< likewise of the answer; see Answers

  /// Says what the handler answers, for OpenAPI and the types made from it: `router.Get(...).Answers<std::vector<RunJson>>()`.
  template <typename T>
  RouteRow& Answers() {
    answer_definitions = Json::MakeObject();
    answer_schema = JsonSchema<T>(answer_definitions);
    return *this;
  }
};

class Router {
 public:
  explicit Router(Context& context);
  ~Router();
  RouteRow& Add(std::string method, std::string pattern, Access access, std::string summary, Handler handler);
  RouteRow& Get(std::string pattern, Access a, std::string summary, Handler h) { return Add("GET", std::move(pattern), a, std::move(summary), std::move(h)); }
  RouteRow& Post(std::string pattern, Access a, std::string summary, Handler h) { return Add("POST", std::move(pattern), a, std::move(summary), std::move(h)); }
  RouteRow& AddRaw(std::string method, std::string pattern, Access access, std::string summary, RawHandler handler);
  /// Answers GET requests that no row matches (the web pages); at most one.
  void SetFallback(Handler handler);
  const std::vector<std::unique_ptr<RouteRow>>& rows() const;
  /// Call once, after all rows are there: returns what the server takes.
  net::Router Build();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

net::Response JsonResponse(const Json& json, int status = 200);
net::Response ErrorResponse(const Error& error, ErrorStyle style);
/// What a page sends back in X-Rondo-CSRF with a cookie.
std::string CsrfOf(const Context& context, std::string_view cookie);

/// A page of a list of which the caller sees only a part: asks `fetch(how_many, token)` for the rest of the page until it is full or the list ends, so that
/// pages are full and tokens go on at the right place.
template <typename T, typename Fetch, typename Keep>
Result<std::vector<T>> VisiblePage(bool all, int64_t most, std::string& token, Fetch fetch, Keep keep) {
  RONDO_TRY(std::vector<T> out, fetch(most, token));
  if (all) return out;
  std::erase_if(out, [&](const T& item) { return !keep(item); });
  while (!token.empty() && static_cast<int64_t>(out.size()) < most) {
    RONDO_TRY(std::vector<T> more, fetch(most - static_cast<int64_t>(out.size()), token));
    for (T& item : more)
      if (keep(item)) out.push_back(std::move(item));
  }
  return out;
}

/// `/health`, `/metrics`, `/version`, `/api/v1/openapi.json`.
void AddSystem(Router& router);

}  // namespace rondo::api
