CREATE TABLE registered_model (
  id integer PRIMARY KEY,
  name text NOT NULL UNIQUE,
  description text NOT NULL,
  creation_time bigint NOT NULL,
  last_update_time bigint NOT NULL
);
CREATE TABLE registered_model_tag (
  model integer NOT NULL REFERENCES registered_model (id),
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (model, key)
) WITHOUT ROWID;
-- A deleted version keeps its row (stage Deleted_Internal), so that its number is never given again.
CREATE TABLE model_version (
  model integer NOT NULL REFERENCES registered_model (id),
  version bigint NOT NULL,
  creation_time bigint NOT NULL,
  last_update_time bigint NOT NULL,
  user_id text NOT NULL,
  description text NOT NULL,
  source text NOT NULL,
  run_id text NOT NULL,
  status text NOT NULL,
  stage text NOT NULL,
  digest text NOT NULL,
  facts text NOT NULL,
  PRIMARY KEY (model, version)
);
CREATE INDEX model_version_run ON model_version (run_id);
CREATE INDEX model_version_digest ON model_version (model, digest);
CREATE TABLE model_version_tag (
  model integer NOT NULL,
  version bigint NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (model, version, key)
) WITHOUT ROWID;
CREATE TABLE model_alias (
  model integer NOT NULL REFERENCES registered_model (id),
  alias text NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (model, alias)
) WITHOUT ROWID;
-- Kept for ever, also when the model goes: therefore by name.
CREATE TABLE alias_history (
  id integer PRIMARY KEY,
  model text NOT NULL,
  alias text NOT NULL,
  from_version bigint,
  to_version bigint,
  time bigint NOT NULL,
  actor text NOT NULL,
  reason text NOT NULL
);
CREATE INDEX alias_history_model ON alias_history (model, alias, id);
CREATE TABLE edge (
  from_kind text NOT NULL,
  from_id text NOT NULL,
  relation text NOT NULL,
  to_kind text NOT NULL,
  to_id text NOT NULL,
  time bigint NOT NULL,
  PRIMARY KEY (from_kind, from_id, relation, to_kind, to_id)
) WITHOUT ROWID;
CREATE INDEX edge_to ON edge (to_kind, to_id);
