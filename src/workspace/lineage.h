/// Where something came from and what came from it: prediction -> version -> run -> datasets, commit, config -> alarms, retraining, and back.
/// Stored as edges in the registry; predictions are found in their log, because nobody wants an edge for each of a billion.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "workspace/workspace.h"

namespace rondo::workspace {

struct LineageNode {
  std::string kind;  ///< prediction, version, run, pipeline_run, dataset, commit, config, endpoint, alarm
  std::string id;
  std::string title;     ///< one line for a person: "churn/7, champion", "customers v3, 5,000 rows"
  std::string relation;  ///< how it is tied to the node before it: "scored", "produced", "read", ...
  std::string via;       ///< "kind id" of the node before it; empty for the subject
  int64_t depth = 0;     ///< 0 is the subject
  int64_t time = 0;
  Json facts;            ///< what is known about it
};
BOOST_DESCRIBE_STRUCT(LineageNode, (), (kind, id, title, relation, via, depth, time, facts))

struct Lineage {
  LineageNode subject;
  std::vector<LineageNode> upstream;    ///< causes, nearest first
  std::vector<LineageNode> downstream;  ///< consequences, nearest first
};
BOOST_DESCRIBE_STRUCT(Lineage, (), (subject, upstream, downstream))

/// `id`: a prediction id, run id, pipeline run id, dataset MD5, commit, config hash, alarm id, `model/version` or `model@alias`, in full.
/// At most 200 nodes a side. kNotFound says what was tried.
Result<Lineage> TraceLineage(Workspace& workspace, const std::string& id);

}  // namespace rondo::workspace
