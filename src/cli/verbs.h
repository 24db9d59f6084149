/// The functions behind the rows of commands.cc, by file.
#pragma once

#include "cli/command.h"

namespace rondo::cli {

// system.cc
Result<int> Up(Call&);
Result<int> Version(Call&);
Result<int> Doctor(Call&);
Result<int> StatusVerb(Call&);
Result<int> Step(Call&);
Result<int> Licenses(Call&);
Result<int> Backup(Call&);
// init.cc
Result<int> Init(Call&);
Result<int> Schema(Call&);
Result<int> Completion(Call&);
// diff.cc
Result<int> Diff(Call&);
// run.cc
Result<int> Run(Call&);
Result<int> PlanVerb(Call&);
Result<int> Why(Call&);
Result<int> RunsVerb(Call&);
Result<int> Logs(Call&);
// data.cc
Result<int> DataList(Call&);
Result<int> DataCheck(Call&);
Result<int> DataProfile(Call&);
Result<int> Algorithms(Call&);
// model.cc
Result<int> ModelList(Call&);
Result<int> ModelShow(Call&);
Result<int> ModelCompare(Call&);
Result<int> ModelHistory(Call&);
Result<int> ModelPromote(Call&);
Result<int> ModelExport(Call&);
Result<int> ModelCardVerb(Call&);
// monitor.cc
Result<int> MonitorShow(Call&);
Result<int> AlarmsVerb(Call&);
Result<int> LabelAdd(Call&);
// govern.cc
Result<int> AuditShow(Call&);
Result<int> AuditVerify(Call&);
Result<int> Approve(Call&);
Result<int> Reject(Call&);
// serving.cc
Result<int> Deploy(Call&);
Result<int> RolloutShow(Call&);
Result<int> RolloutAdvance(Call&);
Result<int> RolloutPause(Call&);
Result<int> RolloutResume(Call&);
Result<int> RolloutAbort(Call&);
Result<int> ModelRollback(Call&);
Result<int> EndpointList(Call&);
Result<int> EndpointShow(Call&);
// reproduce.cc
Result<int> Reproduce(Call&);
// lineage.cc
Result<int> LineageVerb(Call&);
// predict.cc
Result<int> Predict(Call&);

}  // namespace rondo::cli
