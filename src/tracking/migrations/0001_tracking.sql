CREATE TABLE experiment (
  id integer PRIMARY KEY,
  name text NOT NULL UNIQUE,
  artifact_location text NOT NULL,
  lifecycle_stage text NOT NULL,
  creation_time bigint NOT NULL,
  last_update_time bigint NOT NULL
);
CREATE TABLE experiment_tag (
  experiment_id integer NOT NULL REFERENCES experiment (id),
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (experiment_id, key)
) WITHOUT ROWID;

-- `id` is what the other tables refer to: small, so that millions of metric rows stay small.
CREATE TABLE run (
  id integer PRIMARY KEY,
  run_id text NOT NULL UNIQUE,
  experiment_id integer NOT NULL REFERENCES experiment (id),
  name text NOT NULL,
  user_id text NOT NULL,
  status text NOT NULL,
  start_time bigint NOT NULL,
  end_time bigint,
  artifact_uri text NOT NULL,
  lifecycle_stage text NOT NULL
);
CREATE INDEX run_experiment_start ON run (experiment_id, start_time DESC, run_id);

CREATE TABLE metric_key (
  id integer PRIMARY KEY,
  name text NOT NULL UNIQUE
);
-- Clustered by (run, seq): a batch is appended to one place. A NULL value is NaN.
CREATE TABLE metric (
  run integer NOT NULL,
  seq bigint NOT NULL,
  key integer NOT NULL,
  step bigint NOT NULL,
  time bigint NOT NULL,
  value double precision,
  PRIMARY KEY (run, seq)
) WITHOUT ROWID;
-- Per key the row with the highest (step, time, value), NaN counting as 0: MLflow's rule.
CREATE TABLE latest (
  run integer NOT NULL,
  key integer NOT NULL,
  step bigint NOT NULL,
  time bigint NOT NULL,
  value double precision,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX latest_value ON latest (key, value, run);

CREATE TABLE param (
  run integer NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX param_value ON param (key, value, run);
CREATE TABLE run_tag (
  run integer NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX run_tag_key ON run_tag (key, run);

CREATE TABLE dataset (
  id integer PRIMARY KEY,
  experiment_id integer NOT NULL,
  name text NOT NULL,
  digest text NOT NULL,
  source_type text NOT NULL,
  source text NOT NULL,
  schema_text text NOT NULL,
  profile text NOT NULL,
  UNIQUE (experiment_id, name, digest)
);
CREATE TABLE run_input (
  run integer NOT NULL,
  dataset integer NOT NULL REFERENCES dataset (id),
  context text NOT NULL,
  tags text NOT NULL,
  PRIMARY KEY (run, dataset)
) WITHOUT ROWID;

CREATE TABLE logged_model (
  model_id text PRIMARY KEY,
  experiment_id integer NOT NULL REFERENCES experiment (id),
  name text NOT NULL,
  artifact_uri text NOT NULL,
  creation_time bigint NOT NULL,
  last_update_time bigint NOT NULL,
  status text NOT NULL,
  model_type text NOT NULL,
  source_run_id text NOT NULL,
  lifecycle_stage text NOT NULL
);
CREATE INDEX logged_model_experiment ON logged_model (experiment_id, creation_time DESC, model_id);
CREATE TABLE logged_model_param (
  model_id text NOT NULL REFERENCES logged_model (model_id),
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (model_id, key)
) WITHOUT ROWID;
CREATE TABLE logged_model_tag (
  model_id text NOT NULL REFERENCES logged_model (model_id),
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (model_id, key)
) WITHOUT ROWID;
CREATE TABLE logged_model_metric (
  model_id text NOT NULL REFERENCES logged_model (model_id),
  run_id text NOT NULL,
  key text NOT NULL,
  dataset_name text NOT NULL,
  dataset_digest text NOT NULL,
  step bigint NOT NULL,
  time bigint NOT NULL,
  value double precision,
  PRIMARY KEY (model_id, key, dataset_name, dataset_digest, run_id)
) WITHOUT ROWID;
-- Models that a run produced (direction 'out') or read ('in').
CREATE TABLE run_model (
  run integer NOT NULL,
  direction text NOT NULL,
  model_id text NOT NULL,
  step bigint NOT NULL,
  PRIMARY KEY (run, direction, model_id)
) WITHOUT ROWID;
INSERT INTO experiment (id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active', 0, 0);
