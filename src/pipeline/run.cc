#include "pipeline/run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/thread_pool.h"

namespace rondo::pipeline {
namespace {

/// Skipped stages get a row of their own only in runs that a person can look through.
constexpr size_t kRowsForSkipped = 500;
/// How far Take looks past stages that don't fit now.
constexpr int kLookAhead = 256;

size_t CountGpus() {
  if (const char* text = std::getenv("RONDO_GPUS")) return static_cast<size_t>(std::strtoul(text, nullptr, 10));
  size_t n = 0;
  std::error_code ec;
  while (fs::exists("/dev/nvidia" + std::to_string(n), ec)) ++n;
  return n;
}

/// Stages whose outs say which items a map has, also when it has none yet.
std::set<std::string> MapMakers(const project::Project& project, const std::vector<StageNode>& graph) {
  std::set<std::string> makers;
  for (const std::string& source : project.map_sources) {
    const std::string path = source.substr(0, source.find_first_of("*?["));
    for (const StageNode& node : graph)
      for (const Out& out : node.outs)
        if (path == out.path || path.starts_with(out.path + "/") || (path != source && out.path.starts_with(path))) makers.insert(node.name);
  }
  return makers;
}

}  // namespace

PipelineRun::PipelineRun(Parts& parts, LockKeeper& keeper, const RunOptions& options, int64_t epoch)
    : parts_(parts), keeper_(keeper), options_(options), epoch_(epoch), executor_(Executors()[0].make()) {
  machine_memory_ = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  machine_gpus_ = CountGpus();
  for (size_t i = 0; i < machine_gpus_; ++i) gpus_.insert(static_cast<int>(i));
  const char* path = std::getenv("PATH");
  path_ = SelfPath().parent_path().string() + ":" + (path ? path : "/usr/bin:/bin");
}

Result<RunSummary> PipelineRun::Pass() {
  const std::vector<StageNode>& graph = parts_.graph;
  const size_t n = graph.size();
  RONDO_TRY(const std::vector<bool> wanted, Wanted(graph, options_.targets, options_.downstream));
  for (const StageNode& node : graph)
    if (node.gpu > static_cast<int64_t>(machine_gpus_))
      return Fail(Code::kEnvironment, "stage " + node.name + " needs " + std::to_string(node.gpu) + " gpu, this machine has " + std::to_string(machine_gpus_), "set RONDO_GPUS when they are there and not seen");
  pools_.clear();
  for (const project::Pool& pool : parts_.project.pools) pools_[pool.name] = pool.slots;
  states_.assign(n, State::kUnwanted);
  records_.assign(n, {});
  missing_.assign(n, 0);
  after_.assign(n, {});
  ready_.clear();
  changed_now_.clear();
  makers_ = MapMakers(parts_.project, graph);
  final_.clear();
  final_released_ = deferred_ = false;
  open_ = open_normal_ = 0;
  for (size_t i = 0; i < n; ++i) {
    if (!wanted[i]) continue;
    ++open_;
    states_[i] = State::kWaiting;
    if (graph[i].runs != "success") {
      final_.push_back(i);
      continue;
    }
    ++open_normal_;
    for (const size_t j : graph[i].before)
      if (wanted[j] && graph[j].runs == "success") {
        after_[j].push_back(static_cast<uint32_t>(i));
        ++missing_[i];
      }
    if (missing_[i] == 0) {
      states_[i] = State::kReady;
      ready_.insert(i);
    }
  }
  if (options_.trigger != "manual" && !options_.quiet_when_done) {
    std::lock_guard guard(mutex_);
    RONDO_DO(EnsureStarted());
  }
  std::vector<std::thread> workers;
  const size_t count = std::min(open_, static_cast<size_t>(std::max(1, options_.jobs)));
  for (size_t k = 0; k < count; ++k) workers.emplace_back([this] { Worker(); });
  for (std::thread& t : workers) t.join();
  RunSummary summary;
  summary.run_id = id_;
  summary.status = Cancelled() ? "cancelled" : failed_ ? "failed" : "succeeded";
  summary.error = failed_ ? first_error_ : Error{};
  for (size_t i = 0; i < n; ++i)
    if (wanted[i]) summary.stages.push_back(records_[i]);
  return summary;
}

void PipelineRun::Worker() {
  NameThread("stage");
  std::unique_lock guard(mutex_);
  while (open_ > 0) {
    if (open_normal_ == 0 && !final_released_) ReleaseFinal();
    size_t i = 0;
    if (!Stopped() || final_released_) {
      if (Take(i)) {
        // Another worker may find work too: what this one took may have left resources.
        if (!ready_.empty() && waiting_workers_ > 0) changed_.notify_one();
        guard.unlock();
        StageRecord record;
        record.name = parts_.graph[i].name;
        const Status status = One(i, record);
        guard.lock();
        Finish(i, record, status);
        continue;
      }
    }
    if (busy_ == 0) {
      // Nothing runs and nothing can: stopped, or only broken branches are left.
      CancelRest();
      continue;
    }
    ++waiting_workers_;
    changed_.wait(guard);
    --waiting_workers_;
  }
  changed_.notify_all();
}

bool PipelineRun::Take(size_t& stage) {
  int looked = 0;
  for (const size_t i : ready_) {
    if (++looked > kLookAhead) return false;
    const StageNode& node = parts_.graph[i];
    // A stage that asks for more than there is runs alone.
    const bool fits = cpu_ + node.cpu <= std::max(1, options_.jobs) && memory_ + node.memory_bytes <= machine_memory_;
    if (busy_ > 0 && !fits) continue;
    if (node.gpu > static_cast<int64_t>(gpus_.size())) continue;
    if (!node.pool.empty() && pools_[node.pool] <= 0) continue;
    if (!node.pool.empty()) --pools_[node.pool];
    for (int64_t k = 0; k < node.gpu; ++k) {
      gpus_of_[i].push_back(*gpus_.begin());
      gpus_.erase(gpus_.begin());
    }
    states_[i] = State::kBusy;
    ready_.erase(i);
    ++busy_;
    cpu_ += node.cpu;
    memory_ += node.memory_bytes;
    stage = i;
    return true;
  }
  return false;
}

void PipelineRun::Settle(size_t first, State state) {
  // Without recursion: a chain may be a hundred thousand long.
  std::vector<std::pair<size_t, State>> open = {{first, state}};
  size_t freed = 0;
  while (!open.empty()) {
    const auto [i, s] = open.back();
    open.pop_back();
    if (states_[i] == State::kDone || states_[i] == State::kBroken || states_[i] == State::kOmitted || states_[i] == State::kDeferred) continue;
    states_[i] = s;
    ready_.erase(i);
    --open_;
    if (parts_.graph[i].runs == "success") --open_normal_;
    for (const uint32_t j : after_[i]) {
      if (states_[j] != State::kWaiting) continue;
      if (s == State::kDone) {
        const auto& source = parts_.graph[j].source;
        if (std::find(source.begin(), source.end(), i) != source.end() && changed_now_.contains(parts_.graph[i].name)) {
          open.emplace_back(j, State::kDeferred);
          records_[j].name = parts_.graph[j].name;
          records_[j].status = "skipped";
        } else if (--missing_[j] == 0) {
          states_[j] = State::kReady;
          ready_.insert(j);
          ++freed;
        }
        continue;
      }
      StageRecord record;
      record.name = parts_.graph[j].name;
      record.status = s == State::kBroken ? "cancelled" : "skipped";
      record.summary = s == State::kBroken ? "a stage before it failed" : s == State::kOmitted ? "left out with a stage before it" : "";
      Publish(j, record);
      open.emplace_back(j, s);
    }
  }
  if (waiting_workers_ > 0 && (freed > 1 || open_ == 0 || busy_ > 0)) changed_.notify_all();
}

void PipelineRun::Finish(size_t i, const StageRecord& made, const Status& status) {
  StageRecord record = made;
  const StageNode& node = parts_.graph[i];
  --busy_;
  cpu_ -= node.cpu;
  memory_ -= node.memory_bytes;
  if (!node.pool.empty()) ++pools_[node.pool];
  if (const auto it = gpus_of_.find(i); it != gpus_of_.end()) {
    gpus_.insert(it->second.begin(), it->second.end());
    gpus_of_.erase(it);
  }
  State state = record.summary.starts_with("when: ") && record.status == "skipped" ? State::kOmitted : State::kDone;
  if (!status) {
    state = State::kBroken;
    if (record.status.empty() || record.status == "running") record.status = "failed";
    if (record.summary.empty()) record.summary = status.error().message;
    if (!failed_ && record.status == "failed") {
      failed_ = true;
      first_error_ = status.error();
    }
    // A full disk fails every stage that follows: one reason is enough.
    if (!options_.keep_going || status.error().code == Code::kEnvironment || status.error().code == Code::kConflict) stop_ = true;
  }
  if (record.status != "skipped") ran_ = true;
  if (record.status == "succeeded" || record.status == "restored") {
    changed_now_.insert(node.name);
    if (makers_.contains(node.name)) deferred_ = true;
  }
  Publish(i, record);
  Settle(i, state);
  if (waiting_workers_ > 0) changed_.notify_one();
}

void PipelineRun::ReleaseFinal() {
  final_released_ = true;
  stop_ = false;
  for (const size_t i : final_) {
    const bool wanted = parts_.graph[i].runs == "always" ? ran_ || failed_ : failed_;
    if (wanted && !Cancelled()) {
      states_[i] = State::kReady;
      ready_.insert(i);
      continue;
    }
    StageRecord record;
    record.name = parts_.graph[i].name;
    record.status = "skipped";
    Publish(i, record);
    Settle(i, State::kDone);
  }
  changed_.notify_all();
}

void PipelineRun::CancelRest() {
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i] != State::kWaiting && states_[i] != State::kReady) continue;
    if (parts_.graph[i].runs != "success" && !final_released_) continue;
    StageRecord record;
    record.name = parts_.graph[i].name;
    record.status = "cancelled";
    record.summary = "the run was stopped";
    Publish(i, record);
    Settle(i, State::kBroken);
  }
}

void PipelineRun::Publish(size_t i, const StageRecord& record) {
  records_[i] = record;
  if (recorder_ && (record.status != "skipped" || parts_.graph.size() <= kRowsForSkipped)) {
    // A stage keeps its place from one pass to the next.
    const auto [it, fresh] = places_.emplace(record.name, place_);
    if (fresh) ++place_;
    recorder_->Put(it->second, record);
  }
  if (options_.on_stage) options_.on_stage(record);
}

}  // namespace rondo::pipeline
