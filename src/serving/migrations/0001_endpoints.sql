-- What should be served: the server reconciles with it, so any process may write it.
CREATE TABLE endpoint (
  name text PRIMARY KEY,
  model text NOT NULL,             -- the registered model whose alias `champion` it follows
  creation_time bigint NOT NULL,
  actor text NOT NULL
);
CREATE TABLE rollout (
  id text PRIMARY KEY,
  endpoint text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,         -- the new one
  previous bigint,                 -- the champion when it began
  plan text NOT NULL,              -- JSON of serving/rollout.h Plan
  state text NOT NULL,             -- running paused waiting promoted rolled_back aborted
  step bigint NOT NULL,            -- index into the plan's stages
  step_time bigint NOT NULL,       -- when that stage began
  step_base bigint NOT NULL,       -- requests of the new version before that stage
  creation_time bigint NOT NULL,
  end_time bigint,                 -- null while it is going on
  actor text NOT NULL,
  reason text NOT NULL,
  why text NOT NULL,               -- the state in words
  verdict text NOT NULL,           -- JSON of the last judgement
  arms text NOT NULL               -- JSON of the counters, saved every two seconds
);
CREATE INDEX rollout_endpoint ON rollout (endpoint, creation_time);
CREATE UNIQUE INDEX rollout_going_on ON rollout (endpoint) WHERE end_time IS NULL;
CREATE TABLE endpoint_event (
  endpoint text NOT NULL,
  seq bigint NOT NULL,
  time bigint NOT NULL,
  rollout text NOT NULL,           -- empty: none
  actor text NOT NULL,
  action text NOT NULL,
  text text NOT NULL,
  data text NOT NULL,              -- JSON: the numbers that decided
  PRIMARY KEY (endpoint, seq)
);
