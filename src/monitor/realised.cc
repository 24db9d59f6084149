#include "monitor/realised.h"

#include <fmt/format.h>

#include <cmath>

#include "model/evaluate.h"
#include "monitor/labelled.h"

namespace rondo::monitor {
namespace {

constexpr int kResamples = 500;
constexpr size_t kKnown = 1000;
constexpr const char* kCount = "SELECT COUNT(*) FROM monitor_prediction WHERE endpoint = $1 AND version = $2 AND label IS NOT NULL AND time >= $3";
constexpr const char* kModel = "SELECT model FROM monitor_prediction WHERE endpoint = $1 AND version = $2 AND label IS NOT NULL AND time >= $3 LIMIT 1";
constexpr const char* kRows = R"(
SELECT time, scores, decision, label, label_time FROM monitor_prediction
WHERE endpoint = $1 AND version = $2 AND label IS NOT NULL AND time >= $3 ORDER BY time DESC, id LIMIT 5000)";

Result<Realised> Compute(db::Session& session, const db::Args& args, int64_t version, References& references, const project::Gate& gate, int64_t samples) {
  Realised out;
  out.samples = samples;
  std::string name;
  RONDO_DO(session.Query(kModel, args, [&](const db::Row& row) {
    name = row.String(0);
    return false;
  }));
  const auto counter = references.Find(name, version);
  if (!counter) {
    out.why = fmt::format("version {} has no reference profile, which says what its classes are", version);
    return out;
  }
  const Reference& reference = counter->reference();
  const model::MetricInfo* metric = model::FindMetric(gate.metric);
  const int wanted = gate.column.empty() ? -1 : ClassIndex(reference.classes, gate.column);
  if (!metric || !metric->AppliesTo(reference.task)) {
    out.why = fmt::format("\"{}\" isn't measured on live predictions of this task", gate.metric);
    return out;
  }
  if (!gate.column.empty() && (wanted < 0 || reference.task != project::Task::multiclass || !gate.value.empty())) {
    out.why = "slices aren't measured on live predictions";
    return out;
  }
  RONDO_TRY(const Labelled labelled, ReadLabelled(session, kRows, args, reference));
  const model::Scored scored = wanted >= 0 ? OneClass(labelled.scored, wanted) : labelled.scored;
  const model::Interval interval = model::Bootstrap(scored, *metric, kResamples, 1, 0.99);
  if (std::isnan(interval.value) || std::isnan(interval.low) || std::isnan(interval.high)) {
    out.why = fmt::format("{} is undefined on these {} labels", gate.metric, samples);
    return out;
  }
  out.value = interval.value;
  out.low = interval.low;
  out.high = interval.high;
  return out;
}

}  // namespace

Realised RealisedMetrics::Of(const std::string& endpoint, int64_t version, const project::Gate& gate, int64_t since) {
  const std::lock_guard lock(mutex_);
  const std::string metric = gate.column.empty() ? gate.metric : gate.metric + "[" + gate.column + "]";
  auto result = db::Fetch<Realised>(db_, [&](db::Session& session) -> Result<Realised> {
    const db::Args args = {endpoint, version, since};
    RONDO_TRY(const auto count, session.QueryInt(kCount, args));
    const int64_t samples = count.value_or(0);
    if (samples == 0) {
      Realised none;
      none.why = fmt::format("no labelled predictions of version {} yet", version);
      return none;
    }
    if (known_.size() > kKnown) known_.clear();
    auto [at, fresh] = known_.try_emplace({endpoint, version, metric, since});
    if (!fresh && samples * 10 < at->second.samples * 11) return at->second;
    RONDO_TRY(at->second, Compute(session, args, version, references_, gate, samples));
    return at->second;
  });
  if (result) return std::move(*result);
  Realised failed;
  failed.why = result.error().message;
  return failed;
}

}  // namespace rondo::monitor
