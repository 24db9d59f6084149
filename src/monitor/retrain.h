/// `retrain:` of rondo.yaml: which causes start a pipeline run, and which are held back by the cooldown or the limit. Decisions are stored with their
/// reason; a cause starts at most one run, also across restarts (the decision is durable before the run starts).
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "db/db.h"
#include "project/spec.h"

namespace rondo::monitor {

struct RetrainCause {
  std::string id;        ///< "alarm:<id>", "labels:<endpoint>:<n>", "data:<dataset>:<md5>", "cron:<time>"
  std::string kind;      ///< drift | performance | labels | data | cron
  std::string endpoint;
  std::string text;      ///< for people
  int64_t labels = 0;    ///< labelled predictions at this moment (filled by Pending)
};

struct RetrainDecision {
  bool should = false;
  std::string kind, cause_id, why;
};
BOOST_DESCRIBE_STRUCT(RetrainDecision, (), (should, kind, cause_id, why))

struct RetrainRecord {
  std::string cause, endpoint, kind;
  int64_t time = 0;
  bool started = false;
  std::string why, run;
};
BOOST_DESCRIBE_STRUCT(RetrainRecord, (), (cause, endpoint, kind, time, started, why, run))

class RetrainPolicy {
 public:
  RetrainPolicy(db::Database& db, Clock& clock, const project::Retrain& spec) : db_(db), clock_(clock), spec_(spec) {}
  /// Causes that the monitor sees itself: alarms of the last day and enough new labels, not decided yet. The caller brings data and cron.
  Result<std::vector<RetrainCause>> Pending(const std::string& endpoint);
  /// Decides and stores the decision. A cause held back by the cooldown or the limit is settled, except labels: they count on.
  Result<RetrainDecision> Consider(const RetrainCause& cause);
  /// Which run a decision started.
  Status RecordRun(const std::string& cause_id, const std::string& run);
  Result<std::vector<RetrainRecord>> History(int64_t limit);  ///< newest first

 private:
  bool Listed(const std::string& kind) const;
  db::Database& db_;
  Clock& clock_;
  const project::Retrain& spec_;
};

}  // namespace rondo::monitor
