/// Registered models as the pages read them; shared by the list, a model's page and a version's page.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/v1.h"
#include "model/evaluate.h"

namespace rondo::api {

struct IntervalJson {
  double value = 0;
  std::optional<double> low, high;
};
BOOST_DESCRIBE_STRUCT(IntervalJson, (), (value, low, high))

struct VersionRowJson {
  std::string name;
  int64_t version = 0, time = 0;
  std::string user, run_id, digest, status, stage, description;  ///< stage: MLflow's, "None" for most
  std::vector<std::string> aliases, endpoints;
  std::map<std::string, IntervalJson> metrics;  ///< of the test part
  std::vector<model::GateResult> gates;
  int64_t approved = 0, rejected = 0;
};
BOOST_DESCRIBE_STRUCT(VersionRowJson, (), (name, version, time, user, run_id, digest, status, stage, description, aliases, endpoints, metrics, gates, approved, rejected))

/// What `facts.metrics` of a version says about its test part and gates; versions registered from outside have none.
std::map<std::string, IntervalJson> TestMetrics(const registry::Version& version);
std::vector<model::GateResult> GatesOf(const registry::Version& version);
Result<VersionRowJson> VersionRow(const Context& context, const registry::Version& version);

}  // namespace rondo::api
