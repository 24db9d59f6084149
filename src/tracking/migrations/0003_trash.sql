-- When a run went into the trash. Experiments and logged models say it in last_update_time: nothing touches them after that.
ALTER TABLE run ADD COLUMN deleted_time bigint;
CREATE INDEX run_deleted ON run (deleted_time) WHERE deleted_time IS NOT NULL;
-- Artifacts whose owner is purged: the files are deleted after the rows, whatever happens in between.
CREATE TABLE artifact_garbage (
  uri text PRIMARY KEY,
  time bigint NOT NULL
) WITHOUT ROWID;
-- Ids of experiments are never given twice, also when the newest is purged: grants, links and clients remember them.
CREATE TABLE experiment_ids (
  one bigint PRIMARY KEY,
  highest bigint NOT NULL
);
