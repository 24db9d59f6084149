#include "api/guard.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "govern/govern.h"

namespace rondo::api {
namespace {

using govern::Admitted;
using govern::Caller;
using govern::Refusal;

std::string_view HostOnly(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.rfind(':'));
}

std::unexpected<Refusal> Refuse(Code code, std::string message, std::string hint = {}) { return std::unexpected(Refusal{Error{code, std::move(message), std::move(hint)}, 0}); }

/// The scheme is case-insensitive (RFC 9110, section 11.1).
bool Scheme(std::string_view header, std::string_view scheme, std::string_view& rest) {
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return false;
  for (size_t i = 0; i < scheme.size(); ++i)
    if ((header[i] | 0x20) != (scheme[i] | 0x20)) return false;
  rest = header.substr(scheme.size() + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  while (rest.ends_with(' ')) rest.remove_suffix(1);
  return true;
}

Caller ServerToken(std::string_view token) { return Caller::All("token:" + Sha256Hex(token).substr(0, 8)); }

Admitted<Caller> ByToken(const Context& context, std::string_view token) {
  if (IsServerToken(context, token)) return ServerToken(token);
  if (context.accounts && context.login) return context.accounts->ByToken(token);
  return Refuse(Code::kUnauthorized, "this token is not the server's", "it is the one in RONDO_TOKEN where `rondo up` was started");
}

Admitted<Caller> ByCookie(const Context& context, const net::Request& request, const RouteRow& row, std::string_view cookie) {
  auto caller = cookie.starts_with("rdo_") || IsServerToken(context, cookie) ? ByToken(context, cookie)
                : context.accounts && context.login                          ? context.accounts->BySession(cookie)
                                                                             : Refuse(Code::kUnauthorized, "the session has ended", "log in again");
  if (!caller || request.method == "GET" || request.method == "HEAD" || row.access.permission == Permission::kPublic) return caller;
  // A browser sends cookies by itself; only our own pages know the answer to this.
  if (!ConstantTimeEqual(request.Header(kCsrfHeader), CsrfOf(context, cookie)))
    return Refuse(Code::kForbidden, "the request does not come from a page of this server", fmt::format("send the header {} with the value that GET /api/v1/session gives", kCsrfHeader));
  return caller;
}

}  // namespace

std::string CsrfOf(const Context& context, std::string_view cookie) {
  if (context.accounts) return context.accounts->CsrfOf(cookie);
  return HmacSha256Hex(cookie, "csrf").substr(0, 32);
}

bool LoginNeeded(const Context& context) { return context.login || !context.tokens.empty(); }

std::string_view CookieOf(const net::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key.size() != 6 || (key[0] | 0x20) != 'c' || request.Header("Cookie").empty() || std::string_view(key).substr(1, 5) != "ookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      while (rest.starts_with(' ') || rest.starts_with(';')) rest.remove_prefix(1);
      const size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view one = rest.substr(0, end);
      if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=') return one.substr(name.size() + 1);
      rest = rest.substr(end);
    }
  }
  return {};
}

bool IsServerToken(const Context& context, std::string_view token) {
  if (context.tokens.empty()) return false;
  const std::string digest = Sha256Hex(token);
  bool ok = false;
  for (const std::string& known : context.tokens) ok |= ConstantTimeEqual(known, digest);
  return ok;
}

Status CheckOrigin(const Context& context, const net::Request& request, const RouteRow& row) {
  const std::string_view host = request.Header("Host");
  if (!context.allowed_hosts.empty() && !host.empty()) {
    bool known = false;
    for (const std::string& h : context.allowed_hosts) known |= h == "*" || h == HostOnly(host);
    if (!known) return Fail(Code::kForbidden, "the Host header names another server", "use the address that `rondo up` printed, or add the name with --host");
  }
  const std::string_view origin = request.Header("Origin");
  if (origin.empty() || row.method == "GET") return {};
  const size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos || origin.substr(scheme + 3) != host) return Fail(Code::kForbidden, "requests from pages of other origins are refused");
  return {};
}

Admitted<Caller> Authenticate(const Context& context, const net::Request& request, const RouteRow& row) {
  // Without login whoever reaches a loopback server is the person who started it.
  static const std::string kPerson = govern::CurrentActor();
  if (!LoginNeeded(context)) return Caller::All(kPerson);
  const bool open = row.access.permission == Permission::kPublic;
  if (open && row.access.scope != Scope::kSelf) return Caller();
  const auto result = [&]() -> Admitted<Caller> {
    const std::string_view header = request.Header("Authorization");
    std::string_view rest;
    if (Scheme(header, "Bearer", rest)) return ByToken(context, rest);
    if (Scheme(header, "Basic", rest)) {
      if (!context.tokens.empty())
        if (const auto plain = Base64Decode(rest); plain && IsServerToken(context, std::string_view(*plain).substr(plain->find(':') + 1))) return ServerToken(std::string_view(*plain).substr(plain->find(':') + 1));
      if (context.accounts && context.login) return context.accounts->ByBasic(rest, request.remote);
      return Refuse(Code::kUnauthorized, "this token is not the server's", "it is the one in RONDO_TOKEN where `rondo up` was started");
    }
    if (!header.empty()) return Refuse(Code::kUnauthorized, "this kind of Authorization is not known here", "Basic or Bearer");
    if (const std::string_view cookie = CookieOf(request, kSessionCookie); !cookie.empty()) return ByCookie(context, request, row, cookie);
    return Refuse(Code::kUnauthorized, "a login is needed",
                  "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; elsewhere send \"Authorization: Bearer TOKEN\"");
  }();
  if (!result && open) return Caller();
  return result;
}

bool AuthenticationIsSlow(const Context& context, const net::Request& head) {
  if (!context.login || !context.accounts) return false;
  std::string_view rest;
  return Scheme(head.Header("Authorization"), "Basic", rest) && !context.accounts->RemembersBasic(rest);
}

net::Response RefusalResponse(const govern::Refusal& refusal, ErrorStyle style) {
  net::Response response = ErrorResponse(refusal.error, style);
  if (refusal.retry_after_s > 0) {
    response.status = 429;
    std::erase_if(response.headers, [](const auto& h) { return h.first == "Retry-After"; });
    response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after_s));
  }
  return response;
}

govern::Role RoleFor(Permission permission) {
  switch (permission) {
    case Permission::kPublic: return govern::Role::kNone;
    case Permission::kRead:
    case Permission::kPredict: return govern::Role::kViewer;
    case Permission::kWrite: return govern::Role::kEditor;
    case Permission::kManage: return govern::Role::kManager;
    case Permission::kAdmin: return govern::Role::kAdmin;
  }
  return govern::Role::kAdmin;
}

}  // namespace rondo::api
