CREATE TABLE pipeline_runs (
  id text PRIMARY KEY,
  project text NOT NULL,
  status text NOT NULL,
  trigger_kind text NOT NULL,
  cause text NOT NULL,
  actor text NOT NULL,
  started bigint NOT NULL,
  ended bigint,
  commit_id text NOT NULL,
  config text NOT NULL,
  mlflow_run text NOT NULL,
  pid bigint NOT NULL,
  error text NOT NULL
);
CREATE INDEX pipeline_runs_started ON pipeline_runs (started);
CREATE INDEX pipeline_runs_cause ON pipeline_runs (cause);
CREATE TABLE stage_attempts (
  run_id text NOT NULL,
  seq bigint NOT NULL,
  stage text NOT NULL,
  attempt bigint NOT NULL,
  status text NOT NULL,
  started bigint NOT NULL,
  ended bigint,
  exit_code bigint,
  cpu_s double precision NOT NULL,
  max_rss_kb bigint NOT NULL,
  summary text NOT NULL,
  why text NOT NULL,
  inputs text NOT NULL,
  log text NOT NULL,
  PRIMARY KEY (run_id, seq)
);
CREATE TABLE trigger_events (
  id text PRIMARY KEY,
  kind text NOT NULL,
  cause text NOT NULL,
  time bigint NOT NULL,
  state text NOT NULL,
  run_id text NOT NULL
);
CREATE INDEX trigger_events_time ON trigger_events (time);
