// The monitor's thread and its wiring to the workspace.
#include "monitor/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "base/json_map.h"
#include "base/log.h"
#include "base/metrics.h"
#include "monitor/packed.h"
#include "project/reader.h"

namespace rondo::monitor {
namespace {

constexpr auto kNap = std::chrono::seconds(1);
constexpr int64_t kPruneEvery = 3'600'000;
constexpr const char* kPrune = R"(
DELETE FROM monitor_prediction WHERE (endpoint, id, version, shadow) IN
  (SELECT endpoint, id, version, shadow FROM monitor_prediction WHERE label IS NULL AND time < $1 LIMIT 10000))";

fs::path PredictionsFolder(workspace::Workspace& workspace) { return workspace.folder() / "predictions"; }

/// Names come from URLs: nothing that could leave the folder.
bool PlainName(const std::string& name) {
  return !name.empty() && name.size() <= 200 && name[0] != '.' && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

}  // namespace

Result<Reference> StoredReference(workspace::Workspace& workspace, const std::string& model, int64_t version) {
  RONDO_TRY(const registry::Version v, workspace.registry().GetVersion(model, version));
  const size_t slash = v.source.rfind('/');
  if (slash == std::string::npos) return Fail(Code::kNotFound, fmt::format("version {}/{} has no artifacts", model, version));
  RONDO_TRY(const fs::path file, workspace.ArtifactPath(v.source.substr(0, slash), "reference.json"));
  std::error_code ec;
  if (!fs::exists(file, ec)) return Fail(Code::kNotFound, fmt::format("version {}/{} has no reference.json", model, version));
  return ReadReference(file);
}

Monitor::Monitor(workspace::Workspace& workspace, MonitorOptions options)
    : workspace_(workspace),
      options_(std::move(options)),
      references_([&workspace](const std::string& model, int64_t version) { return StoredReference(workspace, model, version); }, workspace.clock()),
      realised_(workspace.db(), references_),
      reader_([&workspace](const std::string& endpoint, data::LogPosition& position, const std::function<bool(const data::Prediction&)>& each) {
        return data::ReadPredictions(PredictionsFolder(workspace) / endpoint, position, each);
      }),
      follower_(workspace.db(), workspace.clock(), references_, options_.spec, reader_),
      judge_{workspace.db(), workspace.clock(), references_, options_.spec},
      retrain_(workspace.db(), workspace.clock(), options_.retrain),
      teller_(options_.teller ? options_.teller : DefaultTeller([](const std::string& text) { return project::ResolveSecret(text); })) {}

Result<std::unique_ptr<Monitor>> Monitor::Open(workspace::Workspace& workspace, MonitorOptions options) {
  RONDO_DO(CheckNotify(options.spec));
  RONDO_DO(workspace.db().Migrate("monitor", Migrations()));
  return std::unique_ptr<Monitor>(new Monitor(workspace, std::move(options)));
}

Monitor::~Monitor() { Stop(); }

Status Monitor::Start() {
  if (thread_.joinable() || !options_.spec.enabled) return {};
  RONDO_TRY(FileLock lock, FileLock::TryLock(workspace_.folder() / "monitor.lock"));
  running_.emplace(std::move(lock));
  stop_ = false;
  thread_ = std::thread([this] { Loop(); });
  return {};
}

Result<bool> Monitor::PassIfAlone() {
  auto lock = FileLock::TryLock(workspace_.folder() / "monitor.lock");
  if (!lock && lock.error().code == Code::kConflict) return false;
  if (!lock) return std::unexpected(lock.error());
  const std::lock_guard pass(pass_mutex_);
  const auto names = Endpoints();
  for (const std::string& endpoint : names) RONDO_DO(Endpoint(endpoint, true));
  return true;
}

void Monitor::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  running_.reset();
}

void Monitor::Wake() {
  {
    const std::lock_guard lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  wake_.notify_one();
}

void Monitor::Loop() {
  std::string last_error;
  for (;;) {
    const Status pass = Pass();
    const std::string error = pass ? "" : pass.error().message;
    if (error != last_error && !error.empty()) LogError("monitor", "{}", error);
    last_error = error;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kNap, [this] { return stop_ || woken_; });
    if (stop_) return;
    woken_ = false;
    // Many requests wake often: a short rest makes batches of them.
    wake_.wait_for(lock, std::chrono::milliseconds(50), [this] { return stop_; });
    if (stop_) return;
  }
}

std::vector<std::string> Monitor::Endpoints() const {
  std::vector<std::string> names;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(PredictionsFolder(workspace_), ec))
    if (entry.is_directory(ec)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

Status Monitor::Endpoint(const std::string& endpoint, bool changed) {
  RONDO_TRY(const int64_t counted, follower_.Follow(endpoint));
  if (counted > 0)
    MetricsRegistry::Global().GetCounter("rondo_monitor_rows_total", "Predictions counted by the monitor", {{"endpoint", endpoint}}).Add(static_cast<uint64_t>(counted));
  if (counted == 0 && !changed && !follower_.waiting()) return {};
  std::vector<Alarm> raised;
  RONDO_DO(JudgeWindows(judge_, endpoint, raised));
  RONDO_DO(WatchErrors(judge_, endpoint, raised));
  for (const Alarm& alarm : raised) LogWarn("monitor", "alarm {} ({}): {}", alarm.id, alarm.kind, alarm.summary);
  MetricsRegistry::Global().GetGauge("rondo_monitor_last_evaluation_timestamp_seconds", "When the monitor last judged an endpoint", {{"endpoint", endpoint}})
      .Set(static_cast<double>(workspace_.clock().NowMs()) / 1000);
  // A decision settles its cause: only those who can start the run may decide.
  if (!options_.retrain_now) return {};
  RONDO_TRY(const auto causes, retrain_.Pending(endpoint));
  for (const RetrainCause& cause : causes) {
    RONDO_TRY(const RetrainDecision decision, ConsiderRetrain(cause));
    LogInfo("monitor", "retrain {}: {} ({})", decision.should ? "starts" : "doesn't start", decision.why, decision.cause_id);
  }
  return {};
}

Status Monitor::Announce(const Alarm& alarm) {
  govern::AuditEntry entry;
  entry.actor = "rondo:monitor";
  entry.action = "alarm.raise";
  entry.object = "endpoint " + alarm.endpoint;
  entry.reason = alarm.summary;
  entry.after = Json::MakeObject().Set("alarm", alarm.id).Set("kind", alarm.kind).Set("model", alarm.model).Set("version", alarm.version).Set("window", alarm.window).Set("columns", alarm.columns);
  RONDO_TRY([[maybe_unused]] const auto appended, workspace_.audit().Append(std::move(entry)));
  RONDO_DO(workspace_.registry().AddEdges({{"version", fmt::format("{}/{}", alarm.model, alarm.version), "raised", "alarm", alarm.id, alarm.time}}));
  MetricsRegistry::Global().GetCounter("rondo_alarms_total", "Alarms raised", {{"kind", alarm.kind}}).Add();
  if (options_.bus) options_.bus->Publish(AlarmRaised{alarm});
  return {};
}

Result<RetrainDecision> Monitor::ConsiderRetrain(const RetrainCause& cause) {
  RONDO_TRY(RetrainDecision decision, retrain_.Consider(cause));
  if (!decision.should || !options_.retrain_now) return decision;
  auto run = options_.retrain_now(decision);
  if (!run) {
    LogError("monitor", "retraining for {} could not start: {}", cause.id, run.error().message);
    decision.should = false;
    decision.why += "; it could not start: " + run.error().message;
    return decision;
  }
  RONDO_DO(retrain_.RecordRun(cause.id, *run));
  if (cause.id.starts_with("alarm:")) RONDO_DO(workspace_.registry().AddEdges({{"alarm", cause.id.substr(6), "caused", "pipeline_run", *run, workspace_.clock().NowMs()}}));
  return decision;
}

Status Monitor::Prune() {
  const int64_t now = workspace_.clock().NowMs();
  if (now - pruned_ < kPruneEvery) return {};
  pruned_ = now;
  // Labels come at most `delay` after the prediction; twice that is for stragglers. Labelled rows stay: they are the feedback.
  const int64_t before = now - 2 * std::max<int64_t>(options_.spec.label_delay_ms, 86'400'000);
  return workspace_.db().Write([&](db::Session& session) -> Status {
    RONDO_TRY([[maybe_unused]] const int64_t gone, session.Exec(kPrune, {before}));
    return ForgetPacked(session, before);
  });
}

Status Monitor::Tell(int64_t now) {
  RONDO_TRY([[maybe_unused]] const int64_t told, AnnounceAlarms(workspace_.db(), [this](const Alarm& alarm) { return Announce(alarm); }));
  RONDO_TRY([[maybe_unused]] const int64_t sent, DeliverAlarms(workspace_.db(), options_.spec, teller_, now));
  RONDO_TRY(const auto next, db::Fetch<std::optional<int64_t>>(workspace_.db(), [](db::Session& session) { return NextDelivery(session); }));
  next_delivery_ = next.value_or(0);
  return Prune();
}

Status Monitor::Pass() {
  const std::lock_guard lock(pass_mutex_);
  RONDO_TRY(const int64_t before, workspace_.db().ChangeCounter());
  Status first_error;
  const auto names = Endpoints();
  for (const std::string& endpoint : names) {
    const Status done = Endpoint(endpoint, before != counter_);
    if (!done && first_error) first_error = Wrap(done.error(), "monitoring endpoint " + endpoint);
  }
  RONDO_TRY(const int64_t after, workspace_.db().ChangeCounter());
  const int64_t now = workspace_.clock().NowMs();
  if (after != counter_ || (next_delivery_ > 0 && next_delivery_ <= now)) {
    const Status told = Tell(now);
    if (!told && first_error) first_error = Wrap(told.error(), "telling alarms");
  }
  if (first_error) {
    RONDO_TRY(counter_, workspace_.db().ChangeCounter());
  }
  return first_error;
}

Status Monitor::KnowsEndpoint(const std::string& endpoint) {
  std::error_code ec;
  if (PlainName(endpoint) && (fs::is_directory(PredictionsFolder(workspace_) / endpoint, ec) || workspace_.registry().GetModel(endpoint))) return {};
  return Fail(Code::kNotFound, fmt::format("no endpoint \"{}\"", endpoint.substr(0, 80)), "rondo endpoint list shows them");
}

Result<Json> Monitor::View(const std::string& endpoint, const SnapshotOptions& options) {
  RONDO_DO(KnowsEndpoint(endpoint));
  return Snapshot(judge_, endpoint, options);
}

Result<std::vector<Alarm>> Monitor::Alarms(const std::string& endpoint, int64_t limit) {
  return db::Fetch<std::vector<Alarm>>(workspace_.db(), [&](db::Session& session) { return ListAlarms(session, endpoint, limit); });
}

Status Monitor::Acknowledge(const std::string& alarm_id, const std::string& actor) {
  RONDO_TRY(const Alarm alarm, db::Fetch<Alarm>(workspace_.db(), [&](db::Session& session) { return GetAlarm(session, alarm_id); }));
  RONDO_DO(AcknowledgeAlarm(workspace_.db(), alarm_id));
  govern::AuditEntry entry;
  entry.actor = actor;
  entry.action = "alarm.acknowledge";
  entry.object = "endpoint " + alarm.endpoint;
  entry.after = Json::MakeObject().Set("alarm", alarm.id);
  RONDO_TRY([[maybe_unused]] const auto appended, workspace_.audit().Append(std::move(entry)));
  return {};
}

Result<LabelCounts> Monitor::TakeLabels(const std::string& endpoint, std::vector<LabelRow> rows, const std::string& actor) {
  RONDO_DO(KnowsEndpoint(endpoint));
  RONDO_TRY(const auto streams, db::Fetch<std::vector<Stream>>(workspace_.db(), [&](db::Session& session) { return Streams(session, endpoint); }));
  for (const Stream& stream : streams) {
    const auto counter = references_.Find(stream.model, stream.version);
    if (!counter) continue;
    RONDO_DO(CheckLabels(rows, counter->reference()));
    break;
  }
  const LabelContext context{endpoint, actor, workspace_.clock().NowMs(), options_.spec.label_delay_ms};
  RONDO_TRY(const LabelCounts counts, AddLabels(workspace_.db(), context, rows));
  auto& metrics = MetricsRegistry::Global();
  metrics.GetCounter("rondo_labels_total", "Labels received", {{"endpoint", endpoint}}).Add(static_cast<uint64_t>(counts.received));
  Wake();
  return counts;
}

Result<Feedback> Monitor::LabelledRows(const std::string& endpoint) {
  RONDO_DO(KnowsEndpoint(endpoint));
  return BuildFeedback(workspace_.db(), references_, reader_, endpoint);
}

Result<int64_t> Monitor::WriteFeedback(const std::string& endpoint, const std::filesystem::path& to) {
  RONDO_TRY(const Feedback feedback, LabelledRows(endpoint));
  if (feedback.frame.rows() == 0) return 0;
  RONDO_DO(table::WriteParquet(feedback.frame, to));
  return static_cast<int64_t>(feedback.frame.rows());
}

}  // namespace rondo::monitor
