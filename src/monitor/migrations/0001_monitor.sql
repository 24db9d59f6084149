CREATE TABLE monitor_position (
  endpoint text PRIMARY KEY,
  segment bigint NOT NULL,
  pos bigint NOT NULL,
  rows bigint NOT NULL
);
CREATE TABLE monitor_window (
  endpoint text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  shadow bigint NOT NULL,
  idx bigint NOT NULL,
  variant text NOT NULL,
  rows bigint NOT NULL,
  time_from bigint NOT NULL,
  time_to bigint NOT NULL,
  closed bigint NOT NULL,
  judged bigint NOT NULL,
  labels_dirty bigint NOT NULL,
  counts text NOT NULL,
  verdict text NOT NULL,
  performance text NOT NULL,
  PRIMARY KEY (endpoint, model, version, shadow, idx)
);
CREATE INDEX monitor_window_work ON monitor_window (endpoint) WHERE judged = 0 OR labels_dirty > 0;
CREATE TABLE monitor_prediction (
  endpoint text NOT NULL,
  id text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  shadow bigint NOT NULL,
  idx bigint NOT NULL,
  time bigint NOT NULL,
  row_key text NOT NULL,
  scores bytea NOT NULL,
  decision text NOT NULL,
  label text,
  label_slot bigint,
  label_kind text,
  label_time bigint,
  join_seq bigint,
  PRIMARY KEY (endpoint, id, version, shadow)
);
CREATE INDEX monitor_prediction_key ON monitor_prediction (endpoint, row_key, time) WHERE row_key <> '';
CREATE INDEX monitor_prediction_labelled ON monitor_prediction (endpoint, version, shadow, idx) WHERE label IS NOT NULL;
CREATE INDEX monitor_prediction_join ON monitor_prediction (endpoint, join_seq) WHERE join_seq IS NOT NULL;
CREATE TABLE monitor_label (
  endpoint text NOT NULL,
  kind text NOT NULL,
  ref text NOT NULL,
  slot bigint NOT NULL,
  label text NOT NULL,
  observed bigint NOT NULL,
  received bigint NOT NULL,
  joined bigint NOT NULL,
  actor text NOT NULL,
  PRIMARY KEY (endpoint, kind, ref, slot)
);
CREATE INDEX monitor_label_observed ON monitor_label (endpoint, observed);
CREATE INDEX monitor_label_pending ON monitor_label (endpoint) WHERE joined = 0;
CREATE TABLE monitor_label_history (
  endpoint text NOT NULL,
  kind text NOT NULL,
  ref text NOT NULL,
  slot bigint NOT NULL,
  label text NOT NULL,
  observed bigint NOT NULL,
  received bigint NOT NULL,
  replaced bigint NOT NULL,
  actor text NOT NULL
);
CREATE INDEX monitor_label_history_ref ON monitor_label_history (endpoint, kind, ref);
CREATE TABLE monitor_detector (
  endpoint text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  name text NOT NULL,
  join_seq bigint NOT NULL,
  state text NOT NULL,
  PRIMARY KEY (endpoint, model, version, name)
);
CREATE TABLE monitor_alarm (
  id text PRIMARY KEY,
  kind text NOT NULL,
  endpoint text NOT NULL,
  model text NOT NULL,
  version bigint NOT NULL,
  columns text NOT NULL,
  idx bigint NOT NULL,
  rows_seen bigint NOT NULL,
  summary text NOT NULL,
  evidence text NOT NULL,
  time bigint NOT NULL,
  state text NOT NULL,
  repeats bigint NOT NULL,
  last_time bigint NOT NULL,
  announced bigint NOT NULL
);
CREATE INDEX monitor_alarm_time ON monitor_alarm (endpoint, time);
CREATE INDEX monitor_alarm_news ON monitor_alarm (time) WHERE announced = 0;
CREATE TABLE monitor_delivery (
  alarm text NOT NULL,
  target bigint NOT NULL,
  attempts bigint NOT NULL,
  next_time bigint NOT NULL,
  state text NOT NULL,
  error text NOT NULL,
  PRIMARY KEY (alarm, target)
);
CREATE INDEX monitor_delivery_due ON monitor_delivery (next_time) WHERE state = 'waiting';
CREATE TABLE monitor_retrain (
  cause text PRIMARY KEY,
  endpoint text NOT NULL,
  kind text NOT NULL,
  time bigint NOT NULL,
  started bigint NOT NULL,
  why text NOT NULL,
  run text NOT NULL,
  labels bigint NOT NULL
);
CREATE INDEX monitor_retrain_time ON monitor_retrain (time);
