-- One row per dataset version. The same bytes of a dataset are one version, however often they are ingested.
CREATE TABLE dataset_version (
  dataset text NOT NULL,
  md5 text NOT NULL,
  number bigint NOT NULL,
  time bigint NOT NULL,
  row_count bigint NOT NULL,
  bytes bigint NOT NULL,
  source text NOT NULL,
  source_md5 text NOT NULL,
  git_commit text NOT NULL,
  pipeline_run text NOT NULL,
  schema_json text NOT NULL,
  profile_json text NOT NULL,
  check_json text NOT NULL,
  accepted bigint NOT NULL,
  PRIMARY KEY (dataset, md5)
);
CREATE UNIQUE INDEX dataset_version_number ON dataset_version (dataset, number);
CREATE INDEX dataset_version_md5 ON dataset_version (md5);
