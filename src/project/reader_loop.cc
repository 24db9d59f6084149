// `deploy:`, `predict:`, `monitor:`, `retrain:`, `triggers:`, `govern:`
#include <fmt/format.h>

#include <charconv>

#include "base/clock.h"
#include "project/reader.h"
#include "project/sections.h"

namespace rondo::project {
namespace {

Task TaskOf(const Project& p) { return p.problem ? p.problem->task : Task::binary; }

Status ReadMap(const YamlNode& node, const std::string& path, std::string_view what, const std::function<Status(const YamlEntry&)>& read) {
  if (!node.IsMap()) return Wrong(node.where, path, "must be a map of " + std::string(what) + "s, not " + std::string(node.KindName()));
  for (const YamlEntry& entry : node.entries) {
    RONDO_DO(CheckEntryName(entry, path, what));
    RONDO_DO(read(entry));
  }
  return {};
}

/// "1000 rows", "1h".
Status ReadWindow(const YamlNode& node, Monitor& m) {
  int64_t rows = 0;
  const std::string& s = node.text;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), rows);
  std::string unit(end, static_cast<size_t>(s.data() + s.size() - end));
  while (unit.starts_with(' ')) unit.erase(0, 1);
  if (node.IsScalar() && ec == std::errc() && (unit == "rows" || unit == "row") && rows > 0) {
    m.window_rows = rows;
    m.window_ms = 0;
    return {};
  }
  if (auto ms = node.IsScalar() ? ParseDurationMs(s) : Result<int64_t>(std::unexpected(Error{})); ms && *ms > 0) {
    m.window_rows = 0;
    m.window_ms = *ms;
    return {};
  }
  return Wrong(node.where, "monitor.window", "\"" + s + "\" is not a window", "write a number of rows or a time: 1000 rows, 1h, 1d");
}

Status ReadAlarm(const YamlNode& node, Task task, Monitor& m) {
  Fields f(node, "monitor.alarm", AlarmKeys());
  f.Get("silence", m.silence_ms);
  if (const YamlNode* performance = f.Find("performance")) {
    RONDO_TRY(auto gates, ReadGates(*performance, "monitor.alarm.performance", task));
    if (gates.size() != 1 || gates[0].champion || gates[0].warn || IsLiveMetric(gates[0].metric))
      return Wrong(performance->where, "monitor.alarm.performance", "must be one metric against a number", "write performance: auc < 0.80");
    m.performance = gates[0];
  }
  if (const YamlNode* drift = f.Find("drift")) {
    Fields g(*drift, "monitor.alarm.drift", DriftAlarmKeys());
    g.Get("q", m.drift.q).Get("share", m.drift.share);
    if (const YamlNode* effect = g.Find("effect")) {
      const std::string& s = effect->text;
      const size_t sign = s.find(">=");
      double value = 0;
      const char* begin = sign == std::string::npos ? s.data() : s.data() + s.find_first_not_of(" >=", sign);
      const auto [end, ec] = std::from_chars(begin, s.data() + s.size(), value);
      if (!effect->IsScalar() || !s.starts_with("psi") || sign == std::string::npos || ec != std::errc() || end != s.data() + s.size() || value <= 0)
        return Wrong(effect->where, "monitor.alarm.drift.effect", "\"" + s + "\" is not a limit on psi", "write effect: psi >= 0.2");
      m.drift.effect = value;
    }
    f.Take(g.status());
  }
  return f.status();
}

Status ReadNotify(const YamlNode& node, Monitor& m) {
  std::vector<const YamlNode*> items;
  if (node.IsList()) for (const YamlNode& item : node.items) items.push_back(&item);
  else items.push_back(&node);
  for (const YamlNode* item : items) {
    if (!item->IsMap()) return Wrong(item->where, "monitor.notify", "\"" + item->text + "\" doesn't say how", "write notify: [webhook: https://…, command: ./page.sh]");
    for (const YamlEntry& entry : item->entries) {
      if (entry.key == "email") return Wrong(entry.where, "monitor.notify.email", "isn't supported in this release", "use webhook: or command:");
      if (entry.key != "webhook" && entry.key != "command") return Wrong(entry.where, "monitor.notify", "unknown key " + entry.key, "the keys are: webhook, command");
      RONDO_TRY(std::string target, ReadText(entry.value, "monitor.notify." + entry.key));
      if (entry.key == "webhook" && !target.starts_with("http://") && !target.starts_with("https://") && !target.starts_with("${"))
        return Wrong(entry.where, "monitor.notify.webhook", "\"" + target + "\" is not an http:// or https:// address");
      m.notify.push_back({entry.key, std::move(target)});
    }
  }
  return {};
}

Status ReadWhen(const YamlNode& node, Retrain& r) {
  std::vector<const YamlNode*> items;
  if (node.IsList()) for (const YamlNode& item : node.items) items.push_back(&item);
  else items.push_back(&node);
  for (const YamlNode* item : items) {
    if (item->IsMap()) {
      for (const YamlEntry& entry : item->entries) {
        if (entry.key == "labels") {
          const auto [end, ec] = std::from_chars(entry.value.text.data(), entry.value.text.data() + entry.value.text.size(), r.on_labels);
          if (ec != std::errc() || end != entry.value.text.data() + entry.value.text.size() || r.on_labels < 1)
            return Wrong(entry.where, "retrain.when.labels", "\"" + entry.value.text + "\" is not a number of labels", "write {labels: 1000}");
        } else if (entry.key == "cron") {
          if (auto ok = CheckCron(entry.value.text); !ok) return Wrong(entry.where, "retrain.when.cron", ok.error().message, ok.error().hint);
          r.cron = entry.value.text;
        } else {
          return Wrong(entry.where, "retrain.when", "unknown key " + entry.key, "known: drift, performance, data, {labels: N}, {cron: \"0 3 * * 1\"}");
        }
      }
    } else if (item->text == "drift") r.on_drift = true;
    else if (item->text == "performance") r.on_performance = true;
    else if (item->text == "data") r.on_data = true;
    else return Wrong(item->where, "retrain.when", "\"" + item->text + "\" is none of drift, performance, data, {labels: N}, {cron: ...}");
  }
  return {};
}

}  // namespace

Status ReadDeploy(const YamlNode& node, Project& out) {
  Deploy d;
  Fields f(node, "deploy", DeployKeys());
  f.Require("endpoint", "add endpoint: " + out.name).Get("endpoint", d.endpoint).Get("rollout", d.rollout).Get("guard", TaskOf(out), d.guard);
  if (const YamlNode* steps = f.Find("steps")) {
    if (!steps->IsList()) return Wrong(steps->where, "deploy.steps", "must be a list of shares", "write steps: [5%, 25%, 100%]");
    for (size_t i = 0; i < steps->items.size(); ++i) {
      RONDO_TRY(const double share, ReadShare(steps->items[i], fmt::format("deploy.steps[{}]", i)));
      if (share <= 0 || (!d.steps.empty() && share <= d.steps.back())) return Wrong(steps->items[i].where, "deploy.steps", "shares must rise, and " + steps->items[i].text + " doesn't", "write steps: [5%, 25%, 100%]");
      d.steps.push_back(share);
    }
    if (d.rollout != "canary" && d.rollout != "ab") f.Fail("steps", "apply to rollout canary or ab only, the rollout is " + d.rollout, "write rollout: canary, or remove steps");
    if (d.rollout == "canary" && (d.steps.empty() || d.steps.back() != 1)) f.Fail("steps", "a canary must end with 100%", "write steps: [5%, 25%, 100%]");
    if (d.rollout == "ab" && d.steps.size() != 1) f.Fail("steps", "an A/B test has one share: that of the new version", "write steps: [50%]");
  } else if (d.rollout == "canary") {
    d.steps = {0.05, 0.25, 1};
  } else if (d.rollout == "ab") {
    d.steps = {0.5};
  }
  if (const YamlNode* hold = f.Find("hold")) {
    Fields g(*hold, "deploy.hold", HoldKeys());
    g.Get("requests", d.hold.requests).Get("time", d.hold.time_ms);
    f.Take(g.status());
  }
  for (const Gate& gate : d.guard)
    if (!gate.value.empty() || ComparesGroups(gate.metric))
      f.Fail("guard", "\"" + gate.text + "\" looks at a slice, a guard at all rows of the version", "leave the brackets out, or put it into problem.success");
  RONDO_DO(f.status());
  out.deploy = std::move(d);
  return {};
}

Status ReadPredict(const YamlNode& node, Project& out) {
  return ReadMap(node, "predict", "prediction", [&](const YamlEntry& entry) -> Status {
    Predict p;
    p.name = entry.key;
    const std::string path = "predict." + entry.key;
    Fields f(entry.value, path, PredictKeys());
    f.Require("data", "add data: a dataset").Require("model", "add model: name@champion").Require("out", "add out: a path");
    f.Get("data", p.data).Get("model", p.model).Get("out", p.out).Get("cron", p.cron);
    if (const YamlNode* to = f.Find("out")) f.Take(CheckInside(*to, path + ".out", p.out));
    RONDO_DO(f.status());
    out.predict.push_back(std::move(p));
    return {};
  });
}

Status ReadMonitor(const YamlNode& node, Project& out) {
  Monitor& m = out.monitor;
  Fields f(node, "monitor", MonitorKeys());
  f.Get("enabled", m.enabled).Get("reference", m.reference).Get("season", m.season);
  if (const YamlNode* window = f.Find("window")) f.Take(ReadWindow(*window, m));
  if (const YamlNode* labels = f.Find("labels")) {
    Fields g(*labels, "monitor.labels", LabelsKeys());
    std::string from;
    g.Get("from", from).Get("delay", m.label_delay_ms);
    f.Take(g.status());
  }
  if (const YamlNode* alarm = f.Find("alarm")) f.Take(ReadAlarm(*alarm, TaskOf(out), m));
  if (const YamlNode* notify = f.Find("notify")) f.Take(ReadNotify(*notify, m));
  return f.status();
}

/// "3 per week".
static void ReadMax(Fields& f, int64_t& runs, int64_t& per_ms) {
  const YamlNode* max = f.Find("max");
  if (!max) return;
  const std::string& s = max->text;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), runs);
  const std::string rest(end, static_cast<size_t>(s.data() + s.size() - end));
  constexpr std::pair<std::string_view, int64_t> kPeriods[] = {{" per hour", 3'600'000}, {" per day", 86'400'000}, {" per week", 604'800'000}, {" per month", 2'592'000'000}};
  bool found = false;
  for (const auto& [text, ms] : kPeriods)
    if (rest == text) per_ms = ms, found = true;
  if (!max->IsScalar() || ec != std::errc() || !found || runs < 1) f.Fail("max", "\"" + s + "\" is not a limit", "write max: 3 per week");
}

Status ReadRetrain(const YamlNode& node, Project& out) {
  Retrain& r = out.retrain;
  r.enabled = true;
  Fields f(node, "retrain", RetrainKeys());
  f.Require("when", "add when: [drift, performance]").Get("cooldown", r.cooldown_ms).Get("feedback", r.feedback).Get("promote", r.promote);
  if (const YamlNode* when = f.Find("when")) f.Take(ReadWhen(*when, r));
  ReadMax(f, r.max_runs, r.max_per_ms);
  if (const YamlNode* window = f.Find("window")) {
    r.window = window->text;
    if (r.window != "all" && !(r.window.starts_with("last ") && ParseDurationMs(r.window.substr(5)))) f.Fail("window", "\"" + r.window + "\" is neither all nor a time", "write window: last 90d");
    else if (r.window != "all") f.Fail("window", "windows other than all aren't supported in this release", "leave it out, and select the rows in a `sql:` dataset");
  }
  return f.status();
}

Status ReadTriggers(const YamlNode& node, Project& out) {
  return ReadMap(node, "triggers", "trigger", [&](const YamlEntry& entry) -> Status {
    Trigger t;
    t.name = entry.key;
    Fields f(entry.value, "triggers." + entry.key, TriggerKeys());
    f.Get("cron", t.cron).Get("tz", t.tz).Get("catch_up", t.catch_up).Get("data", t.data).Get("quiet", t.quiet_ms).Get("webhook", t.webhook).Get("run", t.run);
    f.Get("files", t.files).Get("cooldown", t.cooldown_ms).Get("concurrency", t.concurrency);
    ReadMax(f, t.max_runs, t.max_per_ms);
    if (f.ok() && !t.cron.empty() + !t.data.empty() + !t.files.empty() + !t.webhook.empty() != 1) f.Fail("", "needs exactly one of cron, data, files, webhook");
    if (t.cron.empty())
      for (const char* key : {"tz", "catch_up"})
        if (f.Find(key)) f.Fail(key, "belongs to cron", "remove it");
    if (t.data.empty() && t.files.empty() && f.Find("quiet")) f.Fail("quiet", "belongs to data and files", "remove it");
    // A secret in the file would be committed with it.
    if (!t.webhook.empty() && !t.webhook.starts_with("${")) f.Fail("webhook", "must be a reference to a secret", "write webhook: \"${env:HOOK_SECRET}\"");
    RONDO_DO(f.status());
    out.triggers.push_back(std::move(t));
    return {};
  });
}

Status ReadGovern(const YamlNode& node, Project& out) {
  Fields f(node, "govern", GovernKeys());
  if (const YamlNode* approvals = f.Find("approvals"))
    f.Take(ReadMap(*approvals, "govern.approvals", "alias", [&](const YamlEntry& entry) -> Status {
      Approval a;
      a.alias = entry.key;
      Fields g(entry.value, "govern.approvals." + entry.key, ApprovalKeys());
      g.Get("roles", a.roles).Get("count", a.count).Get("not_author", a.not_author);
      if (g.ok() && (a.count < 1 || a.count > 100)) g.Fail("count", "must be between 1 and 100");
      RONDO_DO(g.status());
      out.govern.approvals.push_back(std::move(a));
      return {};
    }));
  return f.status();
}

}  // namespace rondo::project
