-- Hash-chained: docs/formats/audit.md. `before_json` and `after_json` are canonical texts; the hash covers them as they stand here.
CREATE TABLE audit_entry (
  seq bigint PRIMARY KEY,
  time bigint NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  object text NOT NULL,
  reason text NOT NULL,
  before_json text NOT NULL,
  after_json text NOT NULL,
  prev_hash text NOT NULL,
  hash text NOT NULL
);
CREATE INDEX audit_object ON audit_entry (object, seq);
-- The newest entry, so that cutting off the end shows.
CREATE TABLE audit_head (
  one bigint PRIMARY KEY,
  seq bigint NOT NULL,
  hash text NOT NULL
);
CREATE TABLE approval (
  id integer PRIMARY KEY,
  model text NOT NULL,
  version bigint NOT NULL,
  digest text NOT NULL,
  decision text NOT NULL,
  actor text NOT NULL,
  role text NOT NULL,
  reason text NOT NULL,
  time bigint NOT NULL
);
CREATE INDEX approval_version ON approval (model, version, id);
