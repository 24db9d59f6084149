// What is due: cron firings with catch-up, and sources that have changed and been quiet.
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "pipeline/cron.h"
#include "pipeline/hashing.h"
#include "pipeline/trigger.h"

namespace rondo::pipeline {
namespace {

/// A firing older than this was missed: the machine slept or no server ran.
constexpr int64_t kLateMs = 60'000;
constexpr int64_t kDataPollMs = 2'000;
constexpr size_t kMaxCatchUp = 100;

}  // namespace

struct Scheduler::Entry {
  std::string name, kind;
  std::optional<Cron> cron;
  std::shared_ptr<const TimeZone> zone;
  std::string catch_up = "none";
  std::string dataset, from;
  int64_t quiet_ms = 0;
  std::vector<std::string> stages;
  TriggerStore::Mark mark;
  bool moved = false;         ///< the stored mark is older
  std::string pending;        ///< data: a state that differs from the mark ...
  int64_t pending_since = 0;  ///< ... and when it was first seen
};

Result<Scheduler> Scheduler::Make(const project::Project& project, fs::path root, TriggerStore& store, Clock& clock) {
  Scheduler s(std::move(root), store, clock);
  const auto add = [&](Entry entry, const std::string& cron, const std::string& tz, const std::string& dataset, const std::string& files = {}) -> Status {
    if (!cron.empty()) {
      RONDO_TRY(entry.cron, Cron::Parse(cron));
      RONDO_TRY(entry.zone, TimeZone::Load(tz));
      entry.kind = "cron";
    } else if (!files.empty()) {
      entry.kind = "files";
      entry.from = files;
    } else {
      const project::Dataset* d = project.FindDataset(dataset);
      if (!d || d->from.empty()) return {};  // a `sql:` dataset changes with its sources
      entry.kind = "data";
      entry.dataset = dataset;
      entry.from = d->from;
    }
    RONDO_TRY(auto mark, store.GetMark(entry.kind + ":" + entry.name));
    if (!mark) {
      // A new trigger looks ahead, never back.
      mark = TriggerStore::Mark{clock.NowMs(), entry.from.empty() ? "" : s.SourceState(entry.from)};
      RONDO_DO(store.SetMark(entry.kind + ":" + entry.name, *mark));
    }
    entry.mark = *mark;
    s.entries_.push_back(std::make_shared<Entry>(std::move(entry)));
    return {};
  };
  for (const project::Trigger& t : project.triggers) {
    if (t.cron.empty() && t.data.empty() && t.files.empty()) continue;
    Entry entry;
    entry.name = t.name;
    entry.catch_up = t.catch_up;
    entry.quiet_ms = t.quiet_ms;
    entry.stages = t.run;
    if (auto ok = add(std::move(entry), t.cron, t.tz, t.data, t.files); !ok) return Wrap(ok.error(), "triggers." + t.name);
  }
  for (const project::Predict& p : project.predict) {
    if (p.cron.empty()) continue;
    Entry entry;
    entry.name = std::string(kPredictStage) + p.name;
    entry.catch_up = "last";
    entry.stages = {entry.name};
    if (auto ok = add(std::move(entry), p.cron, "UTC", ""); !ok) return Wrap(ok.error(), "predict." + p.name);
  }
  if (project.retrain.enabled) {
    Entry entry;
    entry.name = "retrain";
    entry.catch_up = "last";
    if (!project.retrain.cron.empty()) RONDO_DO(add(entry, project.retrain.cron, "UTC", ""));
    if (project.retrain.on_data && project.problem) RONDO_DO(add(entry, "", "", project.problem->data));
  }
  return s;
}

std::string Scheduler::SourceState(const std::string& from) const {
  std::vector<std::string> lines;
  const auto add = [&](const fs::path& file) {
    struct stat st {};
    if (::stat(file.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return;
    lines.push_back(fmt::format("{} {} {}.{}", file.string(), st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
  };
  const fs::path full = root_ / from;
  std::error_code ec;
  if (fs::is_directory(full, ec)) {
    for (fs::recursive_directory_iterator it(full, ec), end; it != end && !ec; it.increment(ec)) add(it->path());
  } else if (fs::exists(full, ec)) {
    add(full);
  } else if (IsGlob(from)) {
    glob_t found{};
    if (::glob(full.c_str(), 0, nullptr, &found) == 0)
      for (size_t i = 0; i < found.gl_pathc; ++i) add(found.gl_pathv[i]);
    ::globfree(&found);
  }
  if (lines.empty()) return {};
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line + '\n';
  return Md5Hex(all);
}

Result<std::vector<Scheduler::Due>> Scheduler::Tick() {
  std::vector<Due> due;
  const int64_t now = clock_->NowMs();
  for (const auto& pointer : entries_) {
    Entry& e = *pointer;
    if (e.cron) {
      std::vector<int64_t> times = Firings(*e.cron, *e.zone, e.mark.time, now, kMaxCatchUp);
      if (times.empty()) continue;
      e.mark.time = times.back();
      e.moved = true;
      if (e.catch_up == "none") std::erase_if(times, [&](int64_t t) { return t < now - kLateMs; });
      if (e.catch_up == "last" && times.size() > 1) times = {times.back()};
      for (const int64_t t : times) {
        TriggerEvent event;
        event.kind = "cron";
        event.cause = fmt::format("cron:{}:{}", e.name, FormatTime(t));
        event.why = fmt::format("the schedule of {} fired at {}", e.name, FormatTime(t));
        event.actor = "rondo:schedule";
        event.stages = e.stages;
        due.push_back({e.name, std::move(event)});
      }
      continue;
    }
    const std::string state = SourceState(e.from);
    if (state.empty() || state == e.mark.seen) {
      e.pending.clear();
      continue;
    }
    if (state != e.pending) {
      e.pending = state;
      e.pending_since = now;
    }
    if (now - e.pending_since < e.quiet_ms) continue;
    e.mark = {now, state};
    e.moved = true;
    e.pending.clear();
    TriggerEvent event;
    event.kind = e.kind;
    event.cause = e.kind == "data" ? fmt::format("data:{}:{}", e.dataset, state) : fmt::format("files:{}:{}", e.name, state);
    event.why = e.kind == "data" ? fmt::format("the source of {} has changed", e.dataset) : fmt::format("files of {} have come or changed", e.from);
    event.actor = "rondo:schedule";
    event.stages = e.stages;
    due.push_back({e.name, std::move(event)});
  }
  return due;
}

Status Scheduler::Keep() {
  for (const auto& e : entries_) {
    if (!e->moved) continue;
    RONDO_DO(store_->SetMark(e->kind + ":" + e->name, e->mark));
    e->moved = false;
  }
  return {};
}

std::optional<int64_t> Scheduler::NextMs() const {
  std::optional<int64_t> next;
  for (const auto& e : entries_) {
    const std::optional<int64_t> at = e->cron ? e->cron->Next(e->mark.time, *e->zone) : std::optional(clock_->NowMs() + kDataPollMs);
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

}  // namespace rondo::pipeline
