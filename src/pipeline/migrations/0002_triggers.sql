ALTER TABLE trigger_events ADD COLUMN project text NOT NULL DEFAULT '';
ALTER TABLE trigger_events ADD COLUMN stages text NOT NULL DEFAULT '';
ALTER TABLE trigger_events ADD COLUMN actor text NOT NULL DEFAULT '';
ALTER TABLE trigger_events ADD COLUMN why text NOT NULL DEFAULT '';
ALTER TABLE trigger_events ADD COLUMN starts bigint NOT NULL DEFAULT 0;
ALTER TABLE trigger_events ADD COLUMN ended bigint;
CREATE INDEX trigger_events_state ON trigger_events (state);
CREATE TABLE trigger_marks (
  project text NOT NULL,
  name text NOT NULL,
  time bigint NOT NULL,
  seen text NOT NULL,
  PRIMARY KEY (project, name)
);
