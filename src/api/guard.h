/// Who asks, and whether he may: in front of every handler. Fails closed: what is not understood needs rights on the whole server.
#pragma once

#include "api/router.h"
#include "govern/accounts.h"

namespace rondo::api {

inline constexpr std::string_view kSessionCookie = "rondo_session";
inline constexpr std::string_view kCsrfHeader = "X-Rondo-CSRF";

/// Whether this server asks who one is.
bool LoginNeeded(const Context& context);
/// A page of another origin must not use a browser to reach us: Host must be ours, and a cross-site write is refused.
Status CheckOrigin(const Context& context, const net::Request& request, const RouteRow& row);
/// By Bearer, Basic or cookie; a cookie's write also needs its CSRF header. Public rows let anybody in (Scope::kSelf among them still says who it is).
govern::Admitted<govern::Caller> Authenticate(const Context& context, const net::Request& request, const RouteRow& row);
/// True when Authenticate would have to hash a password: not on an event loop.
bool AuthenticationIsSlow(const Context& context, const net::Request& head);
/// By the row's scope: scope.cc.
Status Authorize(Call& call, const RouteRow& row);
/// What a success means for grants: makers become managers, grants go or are renamed with their thing.
void AfterSuccess(Call& call, const RouteRow& row, const net::Response& response);
net::Response RefusalResponse(const govern::Refusal& refusal, ErrorStyle style);

/// The role that a level needs.
govern::Role RoleFor(Permission permission);
/// The value of a cookie, "" when absent.
std::string_view CookieOf(const net::Request& request, std::string_view name);
/// The environment's token (RONDO_TOKEN), compared in constant time.
bool IsServerToken(const Context& context, std::string_view token);

}  // namespace rondo::api
