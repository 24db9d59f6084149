// /api/v1/session and /api/v1/setup: logging in from a browser.
#include <boost/describe.hpp>

#include "api/guard.h"
#include "api/v1.h"

namespace rondo::api {
namespace {

struct LoginBody {
  std::string name, password, token;
};
BOOST_DESCRIBE_STRUCT(LoginBody, (), (name, password, token))
struct SetupBody {
  std::string code, name, password;
};
BOOST_DESCRIBE_STRUCT(SetupBody, (), (code, name, password))

net::Response WithCookie(net::Response response, const net::Request& request, std::string_view value, int64_t seconds) {
  std::string cookie = std::string(kSessionCookie) + "=" + std::string(value) + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(seconds);
  if (request.tls || request.Header("X-Forwarded-Proto") == "https") cookie += "; Secure";
  response.headers.emplace_back("Set-Cookie", std::move(cookie));
  return response;
}

net::Response Started(Call& call, const govern::Session& session) {
  const int64_t seconds = (session.expires - call.workspace().clock().NowMs()) / 1000;
  return WithCookie(JsonResponse(Json::MakeObject().Set("name", session.account).Set("csrf", session.csrf).Set("expires", session.expires)), call.request(), session.cookie, seconds);
}

Result<govern::Accounts*> AccountsOf(Call& call) {
  if (!call.context().accounts) return Fail(Code::kUnsupported, "this server keeps no accounts");
  return call.context().accounts;
}

/// What a page needs to know before it shows anything. Never fails, so that a page can ask without a login.
Result<net::Response> WhoAmI(Call& call) {
  const Context& context = call.context();
  const bool login = LoginNeeded(context);
  const govern::Caller& caller = call.caller();
  Json out = Json::MakeObject();
  out.Set("login", login).Set("known", !login || caller.known());
  if (!login || caller.known()) {
    out.Set("name", caller.name()).Set("account", caller.account() != 0).Set("role", govern::RoleName(caller.OnServer()));
    if (const std::string_view cookie = CookieOf(call.request(), kSessionCookie); !cookie.empty()) out.Set("csrf", CsrfOf(context, cookie));
  }
  Json methods = Json::MakeArray();
  if (login && context.login && context.accounts)
    for (const std::string& name : context.accounts->LoginMethods()) methods.Push(name);
  if (login) methods.Push("token");
  out.Set("methods", std::move(methods));
  if (context.login && context.accounts) out.Set("setup", !context.accounts->HasAdmin());
  return JsonResponse(out);
}

Result<net::Response> Login(Call& call) {
  RONDO_TRY(const LoginBody body, call.Body<LoginBody>());
  if (!LoginNeeded(call.context())) return Fail(Code::kInvalid, "this server asks for no login");
  // Another site must not log a browser in under a name of its choice; a form could be sent across sites, JSON with this type can't.
  if (!call.request().Header("Content-Type").starts_with("application/json")) return Fail(Code::kInvalid, "send the login as application/json");
  if (!body.token.empty()) {
    if (IsServerToken(call.context(), body.token))
      return WithCookie(JsonResponse(Json::MakeObject().Set("name", "token").Set("csrf", CsrfOf(call.context(), body.token))), call.request(), body.token, 12 * 3600);
    RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
    auto caller = accounts->ByToken(body.token);
    if (!caller) return RefusalResponse(caller.error(), ErrorStyle::kRondo);
    return WithCookie(JsonResponse(Json::MakeObject().Set("name", caller->name()).Set("csrf", CsrfOf(call.context(), body.token))), call.request(), body.token, 12 * 3600);
  }
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  auto session = accounts->Login("password", {{"name", body.name}, {"password", body.password}}, call.request().remote);
  if (!session) return RefusalResponse(session.error(), ErrorStyle::kRondo);
  return Started(call, *session);
}

Result<net::Response> Logout(Call& call) {
  const std::string_view cookie = CookieOf(call.request(), kSessionCookie);
  if (call.context().accounts && !cookie.empty()) RONDO_DO(call.context().accounts->Logout(cookie));
  return WithCookie(JsonResponse(Json::MakeObject()), call.request(), "", 0);
}

Result<net::Response> Setup(Call& call) {
  RONDO_TRY(const SetupBody body, call.Body<SetupBody>());
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  if (!call.request().Header("Content-Type").starts_with("application/json")) return Fail(Code::kInvalid, "send it as application/json");
  auto session = accounts->Setup(body.code, body.name, body.password, call.request().remote);
  if (!session) return RefusalResponse(session.error(), ErrorStyle::kRondo);
  return Started(call, *session);
}

}  // namespace

void AddV1Session(Router& router) {
  router.Get("/api/v1/session", Permission::kPublic | Scope::kSelf, "Who am I, and what does this server ask for", WhoAmI);
  for (RouteRow* row : {&router.Post("/api/v1/session", Permission::kPublic, "Log in by name and password, or by a token: sets the session's cookie", Login),
                        &router.Post("/api/v1/setup", Permission::kPublic, "Make the first administrator, with the code that `rondo up` printed", Setup)})
    row->max_body = 16u << 10;
  router.Add("DELETE", "/api/v1/session", Permission::kRead | Scope::kSelf, "Log out", Logout);
}

}  // namespace rondo::api
