// Dispatch: a trie of path segments, permission and origin checks, errors, metrics per route.
#include "api/router.h"

#include <fmt/format.h>

#include <map>

#include "api/guard.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

namespace rondo::api {
namespace {

struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literal;
  std::unique_ptr<Node> any;              // {name}
  std::map<std::string, RouteRow*> rows;  // by method
  std::map<std::string, RouteRow*> rest;  // {name...}
};

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (path.starts_with('/')) path.remove_prefix(1);  // MLflow's server takes "//get-artifact" too
  while (true) {
    const size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path = path.substr(slash + 1);
  }
  return out;
}

struct Match {
  RouteRow* row = nullptr;
  bool path_known = false;  // the path exists with another method
};

Match Walk(const Node& node, const std::vector<std::string_view>& segments, size_t at, const std::string& method) {
  Match best;
  auto take = [&](const std::map<std::string, RouteRow*>& rows) -> bool {
    if (rows.empty()) return false;
    best.path_known = true;
    auto it = rows.find(method);
    if (it == rows.end() && method == "HEAD") it = rows.find("GET");
    if (it != rows.end()) best.row = it->second;
    return best.row != nullptr;
  };
  if (at == segments.size()) {
    take(node.rows);
    return best;
  }
  if (auto it = node.literal.find(segments[at]); it != node.literal.end()) {
    Match m = Walk(*it->second, segments, at + 1, method);
    if (m.row) return m;
    best.path_known |= m.path_known;
  }
  if (node.any && !segments[at].empty()) {
    Match m = Walk(*node.any, segments, at + 1, method);
    if (m.row) return m;
    best.path_known |= m.path_known;
  }
  take(node.rest);
  return best;
}

Result<std::vector<std::pair<std::string, std::string>>> Capture(const RouteRow& row, std::string_view path) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto pattern = Segments(row.pattern);
  const auto segments = Segments(path);
  for (size_t i = 0; i < pattern.size() && i < segments.size(); ++i) {
    if (!pattern[i].starts_with('{')) continue;
    std::string_view name = pattern[i].substr(1, pattern[i].size() - 2);
    std::string_view raw = segments[i];
    if (name.ends_with("...")) {
      name.remove_suffix(3);
      raw = std::string_view(segments[i].data(), static_cast<size_t>(path.data() + path.size() - segments[i].data()));
    }
    RONDO_TRY(std::string value, net::PercentDecode(raw));
    out.emplace_back(std::string(name), std::move(value));
  }
  return out;
}

}  // namespace

struct Router::Impl {
  Context& context;
  std::vector<std::unique_ptr<RouteRow>> rows;
  Node root;
  Handler fallback;

  explicit Impl(Context& c) : context(c) {}

  void Insert(RouteRow* row) {
    Node* node = &root;
    for (const std::string_view segment : Segments(row->pattern)) {
      if (segment.ends_with("...}")) {
        node->rest[row->method] = row;
        return;
      }
      if (segment.starts_with('{')) {
        if (!node->any) node->any = std::make_unique<Node>();
        node = node->any.get();
      } else {
        auto& next = node->literal[std::string(segment)];
        if (!next) next = std::make_unique<Node>();
        node = next.get();
      }
    }
    node->rows[row->method] = row;
  }

  net::Route RouteFor(const net::Request& head) const {
    const Match match = Walk(root, Segments(head.path), 0, head.method);
    net::Route route;
    if (match.row) {
      const RouteRow* row = match.row;
      route.run_on = row->run_on == net::RunOn::kLoop && AuthenticationIsSlow(context, head) ? net::RunOn::kPool : row->run_on;
      route.max_body = row->max_body;
      route.spool_body = row->spool_body;
      route.handle = [this, row](net::Request&& request, net::Reply reply) { Handle(*row, std::move(request), std::move(reply)); };
      return route;
    }
    route.run_on = net::RunOn::kLoop;
    route.max_body = 1u << 20;
    const bool known = match.path_known;
    route.handle = [this, known](net::Request&& request, net::Reply reply) {
      if (!known && fallback && (request.method == "GET" || request.method == "HEAD") && !request.path.starts_with("/api/") && !request.path.starts_with("/ajax-api/")) {
        Call call(context, std::move(request), {}, govern::Caller());
        auto response = fallback(call);
        return reply.Send(response ? std::move(*response) : ErrorResponse(response.error(), ErrorStyle::kRondo));
      }
      const bool mlflow = request.path.find("/mlflow") != std::string::npos;
      const Error error = known ? Error{Code::kInvalid, request.method + " isn't possible here", {}} : Error{Code::kNotFound, "no such address", "the list is at /api/v1/openapi.json"};
      net::Response response = ErrorResponse(error, mlflow ? ErrorStyle::kMlflow : ErrorStyle::kRondo);
      response.status = known ? 405 : 404;
      // MLflow's client tells a server that is too old from a missing run by this code.
      if (mlflow && !known) response.body = Json::MakeObject().Set("error_code", "ENDPOINT_NOT_FOUND").Set("message", error.message).Dump();
      reply.Send(std::move(response));
    };
    return route;
  }

  void Handle(const RouteRow& row, net::Request&& request, net::Reply reply) const {
    auto fail = [&](const Error& error) { reply.Send(ErrorResponse(error, row.errors)); };
    if (auto ok = CheckOrigin(context, request, row); !ok) return fail(ok.error());
    auto caller = Authenticate(context, request, row);
    if (!caller) return reply.Send(RefusalResponse(caller.error(), row.errors));
    auto path = Capture(row, request.path);
    if (!path) return fail(path.error());
    Call call(context, std::move(request), std::move(*path), std::move(*caller));
    if (auto ok = Authorize(call, row); !ok) return fail(ok.error());
    if (row.raw) return row.raw(call, std::move(reply));
    auto response = row.handler(call);
    if (response) {
      AfterSuccess(call, row, *response);
      return reply.Send(std::move(*response));
    }
    const Error& error = response.error();
    if (InfoOf(error.code).http >= 500 && error.code != Code::kUnavailable) LogError("api", "{} {}: {}", row.method, row.pattern, error.Text());
    fail(error);
  }
};

std::string_view PermissionName(Permission permission) {
  static constexpr std::string_view kNames[] = {"public", "read", "predict", "write", "manage", "admin"};
  return kNames[static_cast<size_t>(permission)];
}

std::string_view ScopeName(Scope scope) {
  static constexpr std::string_view kNames[] = {"unset", "server", "self", "listed", "experiment", "new experiment", "run", "logged model", "artifact", "model", "new model", "model rename", "model delete", "new version", "endpoint"};
  return kNames[static_cast<size_t>(scope)];
}

const std::string& Call::Path(std::string_view name) const {
  static const std::string empty;
  for (const auto& [k, v] : path_)
    if (k == name) return v;
  return empty;
}
std::string Call::Query(std::string_view name, std::string_view otherwise) const {
  auto value = request_.Query(name);
  return value ? *value : std::string(otherwise);
}
Result<int64_t> Call::QueryInt(std::string_view name, int64_t otherwise, int64_t low, int64_t high) const {
  auto text = request_.Query(name);
  if (!text || text->empty()) return otherwise;
  char* end = nullptr;
  const int64_t value = std::strtoll(text->c_str(), &end, 10);
  if (*end || value < low || value > high)
    return Fail(Code::kInvalid, fmt::format("{} must be a whole number from {} to {}, not \"{}\"", name, low, high, text->substr(0, 40)));
  return value;
}

Router::Router(Context& context) : impl_(std::make_unique<Impl>(context)) {}
Router::~Router() = default;
RouteRow& Router::Add(std::string method, std::string pattern, Access access, std::string summary, Handler handler) {
  auto row = std::make_unique<RouteRow>();
  row->method = std::move(method);
  row->pattern = std::move(pattern);
  row->access = access;
  row->summary = std::move(summary);
  row->handler = std::move(handler);
  impl_->rows.push_back(std::move(row));
  return *impl_->rows.back();
}
RouteRow& Router::AddRaw(std::string method, std::string pattern, Access access, std::string summary, RawHandler handler) {
  RouteRow& row = Add(std::move(method), std::move(pattern), access, std::move(summary), {});
  row.raw = std::move(handler);
  return row;
}
void Router::SetFallback(Handler handler) { impl_->fallback = std::move(handler); }
const std::vector<std::unique_ptr<RouteRow>>& Router::rows() const { return impl_->rows; }
net::Router Router::Build() {
  for (const auto& row : impl_->rows) impl_->Insert(row.get());
  return [impl = impl_.get()](const net::Request& head) { return impl->RouteFor(head); };
}

net::Response JsonResponse(const Json& json, int status) { return {status, "application/json", {{"Cache-Control", "no-store"}}, json.Dump(), {}}; }

net::Response ErrorResponse(const Error& error, ErrorStyle style) {
  const CodeInfo& info = InfoOf(error.code);
  // Paths and system texts stay in the log: they are no business of a client.
  const bool ours = error.code == Code::kInternal || error.code == Code::kEnvironment;
  const std::string message = ours ? "the server could not do this; its log says why" : error.message;
  Json body = Json::MakeObject();
  if (style == ErrorStyle::kInference) {
    body.Set("error", message);
  } else {
    body.Set("error_code", style == ErrorStyle::kMlflow ? info.mlflow : info.name).Set("message", message);
    if (style == ErrorStyle::kRondo && !error.hint.empty() && !ours) body.Set("hint", error.hint);
  }
  net::Response response{info.http, "application/json", {{"Cache-Control", "no-store"}}, body.Dump(), {}};
  if (error.code == Code::kUnavailable) response.headers.emplace_back("Retry-After", "1");
  // Basic would make a browser ask in a window of its own, before our page can: pages read the addresses of our own style.
  if (error.code == Code::kUnauthorized) response.headers.emplace_back("WWW-Authenticate", style == ErrorStyle::kRondo ? "Bearer realm=\"rondo\"" : "Basic realm=\"rondo\"");
  return response;
}

}  // namespace rondo::api
