// The trash from the command line.
#include <fmt/format.h>

#include "base/clock.h"
#include "cli/verbs.h"
#include "govern/accounts.h"
#include "tracking/trash.h"
#include "workspace/garbage.h"

namespace rondo::cli {
namespace {

/// "experiment/3", "run/0a1b…", "logged_model/m-…".
Result<std::pair<std::string, std::string>> ParseItem(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return Fail(Code::kInvalid, fmt::format("\"{}\" names nothing in the trash", text), "experiment/ID, run/ID or logged_model/ID, as `rondo trash list` shows them");
  return std::pair(text.substr(0, slash), text.substr(slash + 1));
}

Status Note(workspace::Workspace& w, const std::string& action, const std::string& object, Json after = {}) {
  govern::AuditEntry entry;
  entry.actor = govern::CurrentActor();
  entry.action = action;
  entry.object = object;
  entry.after = std::move(after);
  RONDO_TRY([[maybe_unused]] const auto stored, w.audit().Append(std::move(entry)));
  return {};
}

}  // namespace

Result<int> TrashList(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const int64_t limit, call.Int("--limit", 1000, 1, 1'000'000));
  RONDO_TRY(const auto items, tracking::ListTrash(w->db(), limit));
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"item", "name", "experiment", "runs", "deleted"}};
  for (const auto& i : items) {
    Json one = Json::MakeObject().Set("kind", i.kind).Set("id", i.id).Set("name", i.name).Set("experiment_id", i.experiment_id).Set("experiment_name", i.experiment_name).Set("runs", i.runs);
    if (i.deleted) one.Set("deleted", i.deleted);
    list.Push(std::move(one));
    rows.push_back({i.kind + "/" + i.id, i.name, i.kind == "experiment" ? "" : i.experiment_name, i.kind == "experiment" ? std::to_string(i.runs) : "", i.deleted ? Ago(i.deleted, w->clock().NowMs()) : "long ago"});
  }
  if (call.json()) PrintJson(list);
  else if (items.empty()) Print("the trash is empty");
  else PrintTable(rows);
  return 0;
}

Result<int> TrashRestore(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const auto item, ParseItem(call.Arg(0)));
  if (item.first == "experiment") RONDO_DO(w->tracking().SetExperimentDeleted(item.second, false));
  else if (item.first == "run") RONDO_DO(w->tracking().SetRunDeleted(item.second, false));
  else return Fail(Code::kInvalid, fmt::format("a {} can't be restored", item.first), "experiments and runs can");
  RONDO_DO(Note(*w, item.first + ".restore", item.first + " " + item.second));
  if (call.json()) PrintJson(Json::MakeObject().Set("restored", call.Arg(0)));
  else Print(call.Arg(0) + " is back");
  return 0;
}

Result<int> TrashPurge(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  const int64_t now = w->clock().NowMs();
  const bool one = !call.Arg(0).empty();
  if (one == call.Has("--older-than")) return Fail(Code::kInvalid, "say what to purge", "an item (experiment/ID, run/ID), or --older-than DAYS");
  tracking::PurgeReport report;
  if (one) {
    RONDO_TRY(const auto item, ParseItem(call.Arg(0)));
    RONDO_TRY(report, tracking::PurgeOne(w->db(), item.first, item.second, now));
    if (item.first == "experiment") {
      RONDO_TRY(const std::string key, w->SecretKey());
      RONDO_TRY(const auto accounts, govern::Accounts::Open(w->db(), w->clock(), key));
      RONDO_DO(accounts->ForgetResource(govern::CurrentActor(), {"experiment", item.second}));
    }
  } else {
    RONDO_TRY(const int64_t days, call.Int("--older-than", 30, 0, 36'500));
    RONDO_TRY(report, tracking::PurgeOld(w->db(), now - days * 86'400'000, now));
  }
  RONDO_TRY(const auto files, workspace::CollectGarbage(*w));
  Json out = Json::MakeObject().Set("experiments", report.experiments).Set("runs", report.runs).Set("logged_models", report.logged_models).Set("folders", files.folders).Set("kept", files.kept);
  RONDO_DO(Note(*w, "trash.purge", one ? call.Arg(0) : "everything older than " + call.Value("--older-than") + " days", out));
  if (call.json()) PrintJson(out);
  else
    Print(fmt::format("purged {} experiments, {} runs, {} logged models and {} artifact folders{}", report.experiments, report.runs, report.logged_models, files.folders,
                      files.kept ? fmt::format("; {} folders stay: registered versions need them", files.kept) : ""));
  return 0;
}

}  // namespace rondo::cli
