// Telling people: webhook, command; with a durable queue and retries.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/json_map.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/alarms.h"
#include "net/client.h"

namespace rondo::monitor {
namespace {

constexpr int64_t kTimeoutMs = 5'000;
constexpr int64_t kFirstRetryMs = 10'000;
constexpr int64_t kAttempts = 8;

constexpr const char* kDue = "SELECT alarm, target, attempts FROM monitor_delivery WHERE state = 'waiting' AND next_time <= $1 ORDER BY next_time, alarm, target LIMIT $2";
constexpr const char* kSet = "UPDATE monitor_delivery SET attempts = $3, next_time = $4, state = $5, error = $6 WHERE alarm = $1 AND target = $2";
constexpr const char* kNext = "SELECT MIN(next_time) FROM monitor_delivery WHERE state = 'waiting'";

Status PostWebhook(const std::string& url, const Alarm& alarm) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "rondo"}};
  request.body = WebhookBody(alarm, "webhook").Dump(Json::NonFinite::kNull);
  request.timeout_ms = kTimeoutMs;
  request.max_body = 1u << 16;
  RONDO_TRY(const net::ClientResponse response, net::Fetch(request));
  if (response.status < 200 || response.status >= 300) return Fail(Code::kUnavailable, fmt::format("the webhook answered {}", response.status));
  return {};
}

Status RunPage(const std::string& command, const Alarm& alarm) {
  std::string columns;
  for (const std::string& c : alarm.columns) columns += (columns.empty() ? "" : ",") + c;
  SpawnRequest request;
  request.argv = {"/bin/sh", "-c", command};
  request.extra_env = {{"RONDO_ALARM_ID", alarm.id},
                       {"RONDO_ALARM_KIND", alarm.kind},
                       {"RONDO_ALARM_ENDPOINT", alarm.endpoint},
                       {"RONDO_ALARM_MODEL", alarm.model},
                       {"RONDO_ALARM_VERSION", std::to_string(alarm.version)},
                       {"RONDO_ALARM_COLUMNS", columns},
                       {"RONDO_ALARM_WINDOW", std::to_string(alarm.window)},
                       {"RONDO_ALARM_ROWS", std::to_string(alarm.rows_seen)},
                       {"RONDO_ALARM_TEXT", alarm.summary},
                       {"RONDO_ALARM_TIME", FormatTime(alarm.time)},
                       {"RONDO_ALARM_JSON", ToJson(alarm).Dump(Json::NonFinite::kNull)}};
  RONDO_TRY(Process process, Process::Spawn(request));
  auto ended = process.Wait(30'000);
  if (!ended) {
    process.Terminate(1'000);
    return Fail(Code::kUnavailable, "the command took more than 30 s and was ended");
  }
  if (ended->code != 0) return Fail(Code::kUnavailable, fmt::format("the command ended with {}", ended->code));
  return {};
}

struct Due {
  std::string alarm;
  int64_t target = 0, attempts = 0;
};

}  // namespace

Json WebhookBody(const Alarm& alarm, std::string_view receiver) {
  std::string columns;
  for (const std::string& c : alarm.columns) columns += (columns.empty() ? "" : ",") + c;
  const Json labels = Json::MakeObject()
                          .Set("alertname", "rondo_" + alarm.kind)
                          .Set("endpoint", alarm.endpoint)
                          .Set("model", alarm.model)
                          .Set("version", std::to_string(alarm.version))
                          .Set("columns", columns);
  const Json annotations = Json::MakeObject().Set("summary", alarm.summary);
  const Json alert = Json::MakeObject()
                         .Set("status", "firing")
                         .Set("labels", labels)
                         .Set("annotations", annotations)
                         .Set("startsAt", FormatTime(alarm.time))
                         .Set("endsAt", "0001-01-01T00:00:00Z")
                         .Set("generatorURL", "")
                         .Set("fingerprint", alarm.id);
  return Json::MakeObject()
      .Set("version", "4")
      .Set("groupKey", "rondo/" + alarm.endpoint + "/" + alarm.kind)
      .Set("truncatedAlerts", 0)
      .Set("status", "firing")
      .Set("receiver", receiver)
      .Set("groupLabels", Json::MakeObject().Set("endpoint", alarm.endpoint))
      .Set("commonLabels", labels)
      .Set("commonAnnotations", annotations)
      .Set("externalURL", "")
      .Set("alerts", Json::MakeArray().Push(alert))
      .Set("alarm", ToJson(alarm));
}

Status CheckNotify(const project::Monitor& spec) {
  for (const project::Notify& target : spec.notify)
    if (target.kind != "webhook" && target.kind != "command")
      return Fail(Code::kUnsupported, fmt::format("monitor.notify: {} isn't supported yet", target.kind), "use webhook or command");
  return {};
}

Teller DefaultTeller(std::function<Result<std::string>(const std::string&)> resolve) {
  return [resolve = std::move(resolve)](const project::Notify& target, const Alarm& alarm) -> Status {
    RONDO_TRY(const std::string value, resolve(target.target));
    if (target.kind == "webhook") return PostWebhook(value, alarm);
    if (target.kind == "command") return RunPage(value, alarm);
    return Fail(Code::kUnsupported, fmt::format("monitor.notify: {} isn't supported yet", target.kind), "use webhook or command");
  };
}

Result<int64_t> DeliverAlarms(db::Database& db, const project::Monitor& spec, const Teller& teller, int64_t now, int64_t limit) {
  std::vector<Due> due;
  RONDO_DO(db.Read([&](db::Session& session) {
    return session.Query(kDue, {now, limit}, [&](const db::Row& row) {
      due.push_back({row.String(0), row.Int(1), row.Int(2)});
      return true;
    });
  }));
  for (const Due& d : due) {
    Status told;
    if (d.target < 0 || static_cast<size_t>(d.target) >= spec.notify.size()) {
      told = Fail(Code::kInvalid, "monitor.notify no longer has this target");
    } else {
      RONDO_TRY(const Alarm alarm, db::Fetch<Alarm>(db, [&](db::Session& session) { return GetAlarm(session, d.alarm); }));
      told = teller(spec.notify[static_cast<size_t>(d.target)], alarm);
    }
    const int64_t attempts = d.attempts + 1;
    const bool last = !told && (attempts >= kAttempts || told.error().code == Code::kInvalid || told.error().code == Code::kUnsupported);
    const char* state = told ? "sent" : last ? "failed" : "waiting";
    if (!told) LogWarn("monitor", "alarm {} not told to target {} (attempt {}{}): {}", d.alarm, d.target, attempts, last ? ", the last" : "", told.error().message);
    const int64_t next = now + kFirstRetryMs * (int64_t{1} << std::min<int64_t>(attempts - 1, 8));
    RONDO_DO(db.Write([&](db::Session& session) -> Status {
      RONDO_TRY([[maybe_unused]] const int64_t set, session.Exec(kSet, {d.alarm, d.target, attempts, next, state, told ? std::string() : told.error().message}));
      return {};
    }));
  }
  return static_cast<int64_t>(due.size());
}

Result<std::optional<int64_t>> NextDelivery(db::Session& session) { return session.QueryInt(kNext); }

}  // namespace rondo::monitor
