CREATE TABLE monitor_packed (
  endpoint text NOT NULL,
  bucket text NOT NULL,
  idx bigint NOT NULL,
  rows bigint NOT NULL,
  time_to bigint NOT NULL,
  body bytea NOT NULL
);
CREATE INDEX monitor_packed_bucket ON monitor_packed (endpoint, bucket);
