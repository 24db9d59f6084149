#include "pipeline/journal.h"

#include "base/json_map.h"

namespace rondo::pipeline {
namespace {

constexpr std::string_view kInsertRun =
    "INSERT INTO pipeline_runs (id, project, status, trigger_kind, cause, actor, started, ended, commit_id, config, mlflow_run, pid, error) "
    "VALUES ($1, $2, 'running', $3, $4, $5, $6, NULL, $7, $8, $9, $10, '')";
constexpr std::string_view kSelectRuns =
    "SELECT id, project, status, trigger_kind, cause, actor, started, ended, commit_id, mlflow_run, pid, error FROM pipeline_runs ";
constexpr std::string_view kPutStage =
    "INSERT INTO stage_attempts (run_id, seq, stage, attempt, status, started, ended, exit_code, cpu_s, max_rss_kb, summary, why, inputs, log) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (run_id, seq) DO UPDATE SET stage = excluded.stage, attempt = excluded.attempt, "
    "status = excluded.status, started = excluded.started, ended = excluded.ended, exit_code = excluded.exit_code, cpu_s = excluded.cpu_s, "
    "max_rss_kb = excluded.max_rss_kb, summary = excluded.summary, why = excluded.why, inputs = excluded.inputs, log = excluded.log";
constexpr std::string_view kSelectStages =
    "SELECT stage, attempt, status, started, ended, exit_code, cpu_s, max_rss_kb, summary, why, inputs, log FROM stage_attempts WHERE run_id = $1 ORDER BY seq";

RunRecord ReadRun(const db::Row& row) {
  RunRecord run;
  run.id = row.String(0);
  run.project = row.String(1);
  run.status = row.String(2);
  run.trigger = row.String(3);
  run.cause = row.String(4);
  run.actor = row.String(5);
  run.started = row.Int(6);
  run.ended = row.OptInt(7);
  run.commit = row.String(8);
  run.mlflow_run = row.String(9);
  run.pid = row.Int(10);
  run.error = row.String(11);
  return run;
}

Status ReadStages(db::Session& s, RunRecord& run) {
  return s.Query(kSelectStages, {run.id}, [&](const db::Row& row) {
    StageRecord stage;
    stage.name = row.String(0);
    stage.attempts = row.Int(1);
    stage.status = row.String(2);
    stage.started = row.Int(3);
    stage.ended = row.OptInt(4);
    stage.exit_code = row.OptInt(5);
    stage.cpu_s = row.Double(6);
    stage.max_rss_kb = row.Int(7);
    stage.summary = row.String(8);
    if (auto why = ReadJson<std::vector<Change>>(row.Text(9))) stage.why = std::move(*why);
    if (auto inputs = ParseJson(row.Text(10))) stage.inputs = std::move(*inputs);
    stage.log = row.String(11);
    if (stage.ended) stage.seconds = static_cast<double>(*stage.ended - stage.started) / 1000;
    run.stages.push_back(std::move(stage));
    return true;
  });
}

}  // namespace

Result<Journal> Journal::Open(db::Database& db, Clock& clock) {
  RONDO_DO(db.Migrate("pipeline", Migrations()));
  return Journal(db, clock);
}

Status Journal::StartRun(const RunRecord& r, const std::string& config) {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t n, s.Exec(kInsertRun, {r.id, r.project, r.trigger, r.cause, r.actor, r.started, r.commit, config, r.mlflow_run, r.pid}));
    (void)n;
    return {};
  });
}

Status Journal::SetMlflowRun(const std::string& run, const std::string& mlflow_run) {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t n, s.Exec("UPDATE pipeline_runs SET mlflow_run = $1 WHERE id = $2", {mlflow_run, run}));
    (void)n;
    return {};
  });
}

Status Journal::EndRun(const std::string& run, const std::string& status, const std::string& error) {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t n, s.Exec("UPDATE pipeline_runs SET status = $1, error = $2, ended = $3 WHERE id = $4", {status, error, clock_->NowMs(), run}));
    (void)n;
    return {};
  });
}

Status Journal::PutStage(const std::string& run, int64_t seq, const StageRecord& t) { return PutStages(run, {{seq, t}}); }

Status Journal::PutStages(const std::string& run, const std::map<int64_t, StageRecord>& stages) {
  return db_->Write([&](db::Session& s) -> Status {
    for (const auto& [seq, t] : stages) {
      RONDO_TRY(const int64_t n, s.Exec(kPutStage, {run, seq, t.name, t.attempts, t.status, t.started, t.ended, t.exit_code, t.cpu_s, t.max_rss_kb, t.summary, ToJson(t.why).Dump(), t.inputs.Dump(), t.log}));
      (void)n;
    }
    return {};
  });
}

Result<std::vector<RunRecord>> Journal::Runs(int64_t limit) {
  return db::Fetch<std::vector<RunRecord>>(*db_, [&](db::Session& s) -> Result<std::vector<RunRecord>> {
    std::vector<RunRecord> runs;
    RONDO_DO(s.Query(std::string(kSelectRuns) + "ORDER BY started DESC, id LIMIT $1", {limit}, [&](const db::Row& row) {
      runs.push_back(ReadRun(row));
      return true;
    }));
    for (RunRecord& run : runs) RONDO_DO(ReadStages(s, run));
    return runs;
  });
}

Result<std::vector<RunRecord>> Journal::Running(const std::string& project) {
  return db::Fetch<std::vector<RunRecord>>(*db_, [&](db::Session& s) -> Result<std::vector<RunRecord>> {
    std::vector<RunRecord> runs;
    RONDO_DO(s.Query(std::string(kSelectRuns) + "WHERE project = $1 AND status = 'running'", {project}, [&](const db::Row& row) {
      runs.push_back(ReadRun(row));
      return true;
    }));
    return runs;
  });
}

Result<RunRecord> Journal::Run(const std::string& id) {
  return db::Fetch<RunRecord>(*db_, [&](db::Session& s) -> Result<RunRecord> {
    std::vector<RunRecord> runs;
    // Ids are hex, so a range on the primary key is a prefix search.
    RONDO_DO(s.Query(std::string(kSelectRuns) + "WHERE id >= $1 AND id < $2 LIMIT 2", {id, id + "g"}, [&](const db::Row& row) {
      runs.push_back(ReadRun(row));
      return true;
    }));
    if (runs.empty() || id.empty()) return Fail(Code::kNotFound, "there is no pipeline run \"" + id + "\"", "`rondo runs` lists them");
    if (runs.size() > 1) return Fail(Code::kInvalid, "several pipeline runs begin with \"" + id + "\"", "give more of the id");
    RONDO_DO(ReadStages(s, runs[0]));
    return std::move(runs[0]);
  });
}

Result<std::string> Journal::Config(const std::string& id) {
  return db::Fetch<std::string>(*db_, [&](db::Session& s) -> Result<std::string> {
    RONDO_TRY(const auto text, s.QueryText("SELECT config FROM pipeline_runs WHERE id = $1", {id}));
    if (!text) return Fail(Code::kNotFound, "there is no pipeline run \"" + id + "\"");
    return *text;
  });
}

Result<int64_t> Journal::CloseInterrupted(const std::string& project) {
  return db::Store<int64_t>(*db_, [&](db::Session& s) -> Result<int64_t> {
    const int64_t now = clock_->NowMs();
    RONDO_TRY(const int64_t stages, s.Exec("UPDATE stage_attempts SET status = 'failed', ended = $1, summary = 'interrupted' WHERE status IN ('running', 'waiting') AND run_id IN "
                                           "(SELECT id FROM pipeline_runs WHERE project = $2 AND status = 'running')", {now, project}));
    (void)stages;
    return s.Exec("UPDATE pipeline_runs SET status = 'failed', error = 'interrupted: the process that ran it has gone', ended = $1 WHERE project = $2 AND status = 'running'", {now, project});
  });
}

}  // namespace rondo::pipeline
