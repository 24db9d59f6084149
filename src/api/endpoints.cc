#include "api/endpoints.h"

#include <boost/describe.hpp>

#include "serving/server.h"

namespace rondo::api {
namespace {

struct ActBody {
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(ActBody, (), (reason))

Result<serving::Server*> Serving(Call& call) {
  if (!call.context().serving) return Fail(Code::kUnavailable, "this server serves no models");
  return call.context().serving;
}

Result<net::Response> List(Call& call) {
  RONDO_TRY(serving::Server* const serving, Serving(call));
  RONDO_TRY(const auto rows, serving::Endpoints(call.workspace()));
  Json list = Json::MakeArray();
  for (const serving::EndpointRow& row : rows) {
    if (!call.MayReadEndpoint(row.name)) continue;
    RONDO_TRY(Json endpoint, serving->Describe(row.name));
    list.Push(std::move(endpoint));
  }
  return JsonResponse(list);
}

Result<net::Response> One(Call& call) {
  RONDO_TRY(serving::Server* const serving, Serving(call));
  RONDO_TRY(const Json endpoint, serving->Describe(call.Path("endpoint")));
  return JsonResponse(endpoint);
}

Result<net::Response> ActOn(Call& call) {
  RONDO_TRY(serving::Server* const serving, Serving(call));
  RONDO_TRY(const serving::Action action, serving::ParseAction(call.Path("action")));
  RONDO_TRY(const ActBody body, call.Body<ActBody>());
  RONDO_TRY(const serving::Rollout rollout, serving->Act(call.Path("endpoint"), action, call.actor(), body.reason));
  (void)rollout;
  return One(call);
}

}  // namespace

void AddEndpoints(Router& router) {
  router.Get("/api/v1/endpoints", Permission::kRead | Scope::kListed, "All endpoints", List);
  router.Get("/api/v1/endpoints/{endpoint}", Permission::kRead | Scope::kEndpoint, "An endpoint: variants, rollout, guards, changes", One);
  router.Get("/endpoints/{endpoint}", Permission::kRead | Scope::kEndpoint, "The same", One);
  router.Post("/api/v1/endpoints/{endpoint}/{action}", Permission::kWrite | Scope::kEndpoint, "Advance, pause, resume, abort or roll back", ActOn);
}

}  // namespace rondo::api
