/// The loop at a glance: what is known about a project right now, and what each of its nine stages says.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/v1.h"
#include "data/dataset.h"
#include "monitor/alarms.h"
#include "monitor/retrain.h"
#include "pipeline/journal.h"
#include "serving/rollout.h"
#include "tracking/tracking.h"

namespace rondo::api {

struct LoopStage {
  std::string name;
  std::string state = "idle";  ///< ok | busy | warn | bad | idle
  std::string fact;
  std::optional<std::string> detail;
  std::optional<int64_t> time;
  std::optional<Ref> ref;
};
BOOST_DESCRIBE_STRUCT(LoopStage, (), (name, state, fact, detail, time, ref))

/// Read once per request. What can't be read is absent: a page about everything must not fail for one part.
struct LoopFacts {
  std::shared_ptr<const project::Project> project;
  int64_t now = 0;
  std::optional<pipeline::RunRecord> run;           ///< the newest
  std::optional<data::DatasetVersion> dataset;      ///< newest of the training dataset
  std::optional<tracking::Run> tracked;             ///< newest run of the project's experiment
  std::optional<registry::Version> champion, newest;
  std::optional<serving::EndpointRow> endpoint;
  std::optional<serving::Rollout> rollout;          ///< the newest; going on or ended
  Json monitor;                                     ///< monitor::Snapshot; null without one
  std::vector<monitor::Alarm> alarms;               ///< newest first
  std::vector<monitor::RetrainRecord> retrains;     ///< newest first
};
LoopFacts GatherFacts(const Context& context);

/// The nine, in the order of the loop.
std::vector<LoopStage> LoopStages(const LoopFacts& facts);

/// Index of the newest closed window and the columns that drift (or have defects) in it.
struct WindowNews {
  int64_t index = -1;
  std::vector<std::string> drifting, defective;
  int64_t end = 0;
};
WindowNews NewestWindow(const Json& monitor);
/// The newest point of realised performance; null: no labels.
Json NewestPerformance(const Json& monitor);
/// Not by a schedule, an alarm or new data.
bool StartedByPerson(const pipeline::RunRecord& run);
/// Alarms that still ask for a person: open, about the present champion, at most a week old.
std::vector<const monitor::Alarm*> OpenAlarms(const LoopFacts& facts);

}  // namespace rondo::api
