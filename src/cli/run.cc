// Pipeline: run, plan, why, runs, logs.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_map.h"
#include "base/process.h"
#include "cli/verbs.h"
#include "model/train.h"
#include "net/client.h"
#include "pipeline/engine.h"
#include "pipeline/executor.h"
#include "pipeline/quiet.h"
#include "project/reader.h"

namespace rondo::cli {
namespace {

std::atomic<bool> g_cancel{false};
void OnSignal(int) { g_cancel = true; }

struct Opened {
  std::unique_ptr<pipeline::Engine> engine;
  fs::path root, data;
};

/// A name that no learner has is said at once, not after the data have been read. Params are checked by the learner itself.
Status CheckAlgorithm(const project::Project& project) {
  const bool replaced = std::any_of(project.stages.begin(), project.stages.end(), [](const project::Stage& s) { return s.name == "train"; });
  if (!project.problem || replaced) return {};
  RONDO_TRY(const model::AlgorithmInfo* const found, model::FindAlgorithm(project.train.algorithm, project.problem->task));
  (void)found;
  return {};
}

fs::path DataFolder(Call& call, const fs::path& root) {
  std::string data = call.Value("--data");
  if (data.empty())
    if (const char* env = std::getenv("RONDO_DATA")) data = env;
  return data.empty() ? root / ".rondo" : fs::path(data);
}

Result<Opened> Open(Call& call) {
  Opened o;
  RONDO_TRY(o.root, project::FindProjectRoot(fs::current_path()));
  project::LoadOptions load;
  load.set = call.Values("--set");
  RONDO_TRY(project::Project project, project::LoadProject(o.root / "rondo.yaml", load));
  RONDO_DO(CheckAlgorithm(project));
  o.data = DataFolder(call, o.root);
  const auto reload = [root = o.root, load] { return project::LoadProject(root / "rondo.yaml", load); };
  RONDO_TRY(o.engine, pipeline::Engine::Open(std::move(project), o.root, o.data, reload));
  return o;
}

/// The address of a server on this data folder, when one answers.
std::string RunningServer(const fs::path& data) {
  auto text = ReadFile(data / "server.json", 1 << 16);
  if (!text) return {};
  auto info = ParseJson(*text);
  if (!info) return {};
  const std::string url = (*info)["url"].AsString();
  auto health = net::Fetch({"GET", url + "/health", {}, {}, 500});
  return health && health->status == 200 ? url : std::string();
}

void ShowStage(const pipeline::StageRecord& s) {
  if (s.status == "running" || s.status == "waiting") return;
  if (s.status == "skipped") return;
  const std::string mark = s.status == "succeeded" ? Good("✓") : s.status == "restored" ? Good("↺") : s.status == "cancelled" ? Dim("–") : Bad("✗");
  std::string line = fmt::format("{} {:<10} {:>7}  {}", mark, s.name, s.status == "succeeded" || s.status == "failed" ? fmt::format("{:.2f} s", s.seconds) : s.status, s.summary);
  Print(line);
  std::fflush(stdout);
}

std::string ShowChange(const pipeline::Change& c) {
  if (c.before.empty() && c.after.empty()) return c.what;
  if (c.before.empty()) return c.what + ": " + c.after;
  return fmt::format("{}: {} → {}", c.what, c.before, c.after);
}

}  // namespace

Result<pipeline::RunOptions> OptionsOf(Call& call) {
  pipeline::RunOptions options;
  options.targets = call.args();
  options.force = call.Has("--force");
  options.keep_going = call.Has("--keep-going");
  options.downstream = call.Has("--downstream");
  options.no_cache = call.Has("--no-run-cache");
  RONDO_TRY(const int64_t jobs, call.Int("--jobs", 2, 1, 1024));
  options.jobs = static_cast<int>(jobs);
  options.trigger = call.Value("--trigger", "manual");
  options.cause = call.Value("--cause");
  options.run_id = call.Value("--run-id");
  options.actor = call.Value("--actor");
  options.cancel = &g_cancel;
  return options;
}

/// Days of "2026-01-01..2026-01-31", or one day.
Result<std::vector<std::string>> Days(const std::string& range) {
  constexpr int64_t kDay = 86'400'000;
  const size_t dots = range.find("..");
  const std::string first = range.substr(0, dots), last = dots == std::string::npos ? first : range.substr(dots + 2);
  const auto from = ParseTime(first), to = ParseTime(last);
  if (!from || !to || first.size() != 10 || last.size() != 10 || *from > *to) return Fail(Code::kInvalid, "--backfill: \"" + range + "\" is no range of days", "write --backfill 2026-01-01..2026-01-31");
  if ((*to - *from) / kDay > 5000) return Fail(Code::kTooLarge, "--backfill: \"" + range + "\" has more than 5000 days");
  std::vector<std::string> days;
  for (int64_t t = *from; t <= *to; t += kDay) days.push_back(FormatTime(t).substr(0, 10));
  return days;
}

/// One run a day, oldest first: ${date} in stages is the day. A day that fails ends it; the days before are done and are skipped next time.
Result<int> Backfill(Call& call) {
  RONDO_TRY(const auto days, Days(call.Value("--backfill")));
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  Json list = Json::MakeArray();
  for (const std::string& day : days) {
    ::setenv("RONDO_DATE", day.c_str(), 1);  // the stages see it too
    RONDO_TRY(Opened o, Open(call));
    RONDO_TRY(pipeline::RunOptions options, OptionsOf(call));
    options.trigger = "backfill";
    options.cause = "backfill:" + day;
    options.quiet_when_done = true;
    RONDO_TRY(const pipeline::RunSummary run, o.engine->Run(options));
    size_t ran = 0;
    for (const auto& s : run.stages) ran += s.status != "skipped";
    if (call.json()) list.Push(Json::MakeObject().Set("date", day).Set("id", run.run_id).Set("status", run.status).Set("ran", ran));
    else Print(fmt::format("{}  {}  {} of {} stages", day, run.status, ran, run.stages.size()));
    if (run.status == "failed") return std::unexpected(run.error);
    if (run.status == "cancelled") return 130;
  }
  if (call.json()) PrintJson(list);
  return 0;
}

Result<int> Run(Call& call) {
  // Started by a server: never outlives it.
  if (std::getenv("RONDO_DIE_WITH_PARENT")) DieWithParent();
  // The usual case of nothing to do is told by looking at files, before any of them is read.
  if (call.args().empty() && call.Values("--set").empty() && call.Value("--backfill").empty() && !call.json() && !call.Has("--force") && !call.Has("--dry") && call.Value("--trigger", "manual") == "manual") {
    const int64_t begin = MonotonicNs();
    RONDO_TRY(const fs::path root, project::FindProjectRoot(fs::current_path()));
    if (const auto stages = pipeline::NothingToDo(root, DataFolder(call, root))) {
      Print(fmt::format("nothing to do: all {} stages are up to date ({:.0f} ms)", *stages, static_cast<double>(MonotonicNs() - begin) / 1e6));
      return 0;
    }
  }
  if (!call.Value("--backfill").empty()) return Backfill(call);
  RONDO_TRY(Opened o, Open(call));
  RONDO_TRY(pipeline::RunOptions options, OptionsOf(call));
  if (call.Has("--dry")) {
    RONDO_TRY(const auto plan, o.engine->Plan(options));
    if (call.json()) PrintJson(Json::MakeObject().Set("stages", ToJson(plan)));
    else
      for (const auto& s : plan)
        if (s.action != "skip") Print(s.action + " " + s.name);
    return 0;
  }
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  for (const pipeline::StageNode& node : o.engine->graph())
    if (node.needs_run && !node.builtin && options.tracking_uri.empty()) options.tracking_uri = RunningServer(o.data);
  const bool json = call.json();
  if (!json) options.on_stage = ShowStage;
  RONDO_TRY(const pipeline::RunSummary run, o.engine->Run(options));
  size_t ran = 0, skipped = 0;
  for (const auto& s : run.stages) (s.status == "skipped" ? skipped : ran) += 1;
  if (json) {
    PrintJson(Json::MakeObject().Set("id", run.run_id).Set("status", run.status).Set("seconds", run.seconds).Set("stages", ToJson(run.stages)).Set("error", run.error.message));
  } else if (run.status == "succeeded" && ran == 0) {
    Print(fmt::format("nothing to do: all {} stages are up to date ({:.0f} ms)", skipped, run.seconds * 1000));
  } else if (run.status == "succeeded") {
    Print(fmt::format("done in {:.1f} s: {} stages ran{}{}", run.seconds, ran, skipped ? fmt::format(", {} up to date", skipped) : "", run.run_id.empty() ? "" : "; run " + run.run_id.substr(0, 12)));
  }
  if (run.status == "failed") return std::unexpected(run.error);
  return run.status == "cancelled" ? 130 : 0;
}

Result<int> PlanVerb(Call& call) {
  RONDO_TRY(Opened o, Open(call));
  pipeline::RunOptions options;
  options.targets = call.args();
  RONDO_TRY(const auto plan, o.engine->Plan(options));
  if (call.json()) {
    PrintJson(Json::MakeObject().Set("stages", ToJson(plan)));
    return 0;
  }
  for (const auto& s : plan) {
    Print(fmt::format("{:<10} {}", s.name, s.action == "skip" ? Dim("up to date") : Bold(s.action)));
    for (const auto& c : s.why) Print(Dim("             " + ShowChange(c)));
  }
  return 0;
}

Result<int> Why(Call& call) {
  RONDO_TRY(Opened o, Open(call));
  pipeline::RunOptions options;
  options.targets = {call.Arg(0)};
  RONDO_TRY(const auto plan, o.engine->Plan(options));
  for (const auto& s : plan) {
    if (s.name != call.Arg(0)) continue;
    if (call.json()) PrintJson(ToJson(s));
    else if (s.why.empty()) Print(s.name + " is up to date: command, params, dependencies and outputs are as the lock file says");
    else
      for (const auto& c : s.why) Print(ShowChange(c));
  }
  return 0;
}

Result<int> RunsVerb(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(auto journal, pipeline::Journal::Open(w->db(), w->clock()));
  RONDO_TRY(const int64_t limit, call.Int("--limit", 20, 1, 100'000));
  RONDO_TRY(const auto runs, journal.Runs(limit));
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const auto& r : runs) {
      Json metrics = Json::MakeObject();
      if (!r.mlflow_run.empty())
        if (auto run = w->tracking().GetRun(r.mlflow_run))
          for (const auto& m : run->metrics) metrics.Set(m.key, m.value);
      list.Push(ToJson(r).Set("metrics", metrics));
    }
    PrintJson(list);
    return 0;
  }
  if (runs.empty()) Print("no pipeline run yet: `rondo run` makes the first");
  std::vector<std::vector<std::string>> rows = {{"run", "status", "trigger", "started", "seconds", "stages", "error"}};
  for (const auto& r : runs) {
    size_t ran = 0;
    for (const auto& s : r.stages) ran += s.status == "succeeded";
    rows.push_back({r.id.substr(0, 12), r.status, r.trigger, Ago(r.started, w->clock().NowMs()), r.ended ? fmt::format("{:.1f}", static_cast<double>(*r.ended - r.started) / 1000) : "", std::to_string(ran),
                    r.error.substr(0, std::min<size_t>(r.error.find('\n'), 60))});
  }
  if (!runs.empty()) PrintTable(rows);
  return 0;
}

/// Prints what the stages of a run write as they write it, until the run has ended.
Result<int> Follow(Call& call, workspace::Workspace& w, pipeline::Journal& journal, pipeline::RunRecord run) {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigaction(SIGINT, &action, nullptr);
  std::map<std::string, uint64_t> shown;
  std::string last;
  while (!g_cancel) {
    for (const auto& s : run.stages) {
      if (s.log.empty() || (!call.Arg(1).empty() && s.name != call.Arg(1))) continue;
      auto text = ReadFile(w.folder() / s.log);
      uint64_t& from = shown[s.name];
      if (!text || text->size() == from) continue;
      if (text->size() < from) from = 0;  // it was cut
      if (call.Arg(1).empty() && last != s.name) Print(Bold("== " + s.name));
      last = s.name;
      std::fwrite(text->data() + from, 1, text->size() - from, stdout);
      std::fflush(stdout);
      from = text->size();
    }
    if (run.status != "running") return run.status == "succeeded" ? 0 : 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    RONDO_TRY(run, journal.Run(run.id));
  }
  return 130;
}

Result<int> Logs(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(auto journal, pipeline::Journal::Open(w->db(), w->clock()));
  RONDO_TRY(auto run, journal.Run(call.Arg(0)));
  if (call.Has("--follow") || call.Has("-f")) return Follow(call, *w, journal, run);
  bool found = false;
  for (const auto& s : run.stages) {
    if (!call.Arg(1).empty() && s.name != call.Arg(1)) continue;
    if (s.log.empty()) continue;
    found = true;
    if (call.Arg(1).empty()) Print(Bold("== " + s.name));
    if (auto text = ReadFile(w->folder() / s.log)) std::fwrite(text->data(), 1, text->size(), stdout);
  }
  if (!found) return Fail(Code::kNotFound, call.Arg(1).empty() ? "that run has no log" : "that run has no log of stage \"" + call.Arg(1) + "\"");
  return 0;
}

}  // namespace rondo::cli
