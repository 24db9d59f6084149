// Searches that clients write: the first line is the filter, the second the order, the third the page token. Whatever comes, the answer is runs or
// "invalid": never an SQL error.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/file.h"
#include "registry/registry.h"
#include "tracking/logged_models.h"
#include "tracking/tracking.h"

namespace {
using namespace rondo;

struct World {
  TempDir dir;
  std::unique_ptr<db::Database> db = std::move(*db::OpenSqlite(dir.path() / "x.db", {.durable = false}));
  std::unique_ptr<tracking::Tracking> tracking;
  std::unique_ptr<tracking::LoggedModels> models;
  std::unique_ptr<registry::Registry> registry;
  World() {
    if (!db->Migrate("tracking", tracking::Migrations()) || !db->Migrate("registry", registry::Migrations())) std::abort();
    tracking = tracking::MakeTracking(*db, SystemClock());
    models = tracking::MakeLoggedModels(*db, SystemClock());
    registry = registry::MakeRegistry(*db, SystemClock());
    auto run = tracking->CreateRun("0", "u", "r", 1, {{"team", "x"}});
    if (!run || !tracking->Log(run->run_id, {{{"auc", 0.5, 1, 1}}, {{"depth", "4"}}, {}})) std::abort();
  }
};

template <typename T>
void Check(const Result<T>& result) {
  if (!result && result.error().code != Code::kInvalid) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World world;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t first = std::min(text.find('\n'), text.size());
  const size_t second = std::min(text.find('\n', first + 1), text.size());
  tracking::RunQuery query;
  query.experiment_ids = {"0"};
  query.max_results = 1;
  query.filter = text.substr(0, first);
  if (first + 1 < second) query.order_by = {text.substr(first + 1, second - first - 1)};
  if (second + 1 < text.size()) query.page_token = text.substr(second + 1);
  Check(world.tracking->SearchRuns(query));
  std::string token = query.page_token;
  Check(world.tracking->SearchExperiments(query.filter, "ALL", 1, token, query.order_by));
  Check(world.registry->SearchModels(query.filter, query.order_by, 1, token = query.page_token));
  Check(world.registry->SearchVersions(query.filter, query.order_by, 1, token = query.page_token));
  tracking::LoggedModelQuery models;
  models.experiment_ids = {"0"};
  models.filter = query.filter;
  models.page_token = query.page_token;
  if (!query.order_by.empty()) models.order_by = {{.field = query.order_by[0]}};
  Check(world.models->Search(models, token));
  return 0;
}
