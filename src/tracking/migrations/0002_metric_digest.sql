-- What charts read instead of millions of rows: the extremes of each 64 points of a key. Made from `metric`, never the other way round.
-- A row covers the seqs in (start, upto] of its run.
CREATE TABLE metric_digest (
  run integer NOT NULL,
  key integer NOT NULL,
  upto bigint NOT NULL,
  start bigint NOT NULL,
  points bigint NOT NULL,
  step_low bigint NOT NULL,
  step_high bigint NOT NULL,
  time_low bigint NOT NULL,
  time_high bigint NOT NULL,
  marks bytea NOT NULL,
  PRIMARY KEY (run, key, upto)
) WITHOUT ROWID;
-- How far a run is digested.
CREATE TABLE metric_digested (
  run integer PRIMARY KEY,
  upto bigint NOT NULL
);
