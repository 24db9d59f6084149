// Every route says what it needs.
#include "api/access.h"

#include <gtest/gtest.h>

#include "api/endpoints.h"
#include "api/infer.h"
#include "api/mlflow.h"
#include "api/monitor.h"
#include "api/router.h"
#include "api/v1.h"

namespace rondo::api {
namespace {

TEST(Access, EveryRouteNamesItsScope) {
  Context context;
  Router router(context);
  AddSystem(router);
  AddInfer(router);
  AddEndpoints(router);
  AddMonitor(router);
  AddMlflow(router);
  AddV1(router);
  int rows = 0;
  for (const auto& row : router.rows()) {
    ++rows;
    if (row->access.permission == Permission::kPublic) continue;
    EXPECT_NE(row->access.scope, Scope::kUnset) << row->method << " " << row->pattern << ": say whose grants open it, as in Permission::kWrite | Scope::kRun (api/access.h)";
  }
  EXPECT_GT(rows, 150);
}

}  // namespace
}  // namespace rondo::api
