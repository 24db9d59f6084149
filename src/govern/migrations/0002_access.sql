-- Who may do what: docs/formats/database.md. Secrets are kept as keyed hashes (tokens, sessions) or argon2id (passwords), never as they are.
CREATE TABLE account (
  id integer PRIMARY KEY,
  name text NOT NULL,
  name_key text NOT NULL UNIQUE,
  kind text NOT NULL,
  password text NOT NULL,
  disabled bigint NOT NULL,
  secrets bigint NOT NULL,
  created bigint NOT NULL,
  last_login bigint NOT NULL
);
CREATE TABLE account_group (
  id integer PRIMARY KEY,
  name text NOT NULL UNIQUE,
  created bigint NOT NULL
);
CREATE TABLE group_member (
  group_id integer NOT NULL REFERENCES account_group (id),
  account integer NOT NULL REFERENCES account (id),
  PRIMARY KEY (group_id, account)
) WITHOUT ROWID;
CREATE TABLE access_token (
  id text PRIMARY KEY,
  account integer NOT NULL REFERENCES account (id),
  name text NOT NULL,
  hash text NOT NULL UNIQUE,
  created bigint NOT NULL,
  expires bigint NOT NULL,
  last_used bigint NOT NULL,
  created_by text NOT NULL
);
CREATE TABLE access_grant (
  subject_kind text NOT NULL,
  subject integer NOT NULL,
  resource_kind text NOT NULL,
  resource text NOT NULL,
  role text NOT NULL,
  time bigint NOT NULL,
  actor text NOT NULL,
  PRIMARY KEY (subject_kind, subject, resource_kind, resource)
) WITHOUT ROWID;
CREATE INDEX access_grant_resource ON access_grant (resource_kind, resource);
CREATE TABLE login_session (
  hash text PRIMARY KEY,
  account integer NOT NULL REFERENCES account (id),
  secrets bigint NOT NULL,
  created bigint NOT NULL,
  expires bigint NOT NULL,
  remote text NOT NULL
);
-- Counts changes: a running server reads it to see what another process did.
CREATE TABLE access_state (
  one bigint PRIMARY KEY,
  version bigint NOT NULL
);
INSERT INTO access_state (one, version) VALUES (1, 1);
INSERT INTO account_group (id, name, created) VALUES (0, 'everyone', 0);
