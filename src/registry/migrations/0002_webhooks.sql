CREATE TABLE webhook (
  id text PRIMARY KEY,
  name text NOT NULL,
  description text NOT NULL,
  url text NOT NULL,
  status text NOT NULL,
  secret text NOT NULL,
  creation_time bigint NOT NULL,
  last_update_time bigint NOT NULL
);
CREATE TABLE webhook_event (
  event text NOT NULL,
  webhook text NOT NULL REFERENCES webhook (id),
  PRIMARY KEY (event, webhook)
) WITHOUT ROWID;
-- The outbox: written in the transaction of the change it tells of, removed when the receiver has answered. state: waiting | failed.
CREATE TABLE webhook_delivery (
  id integer PRIMARY KEY,
  webhook text NOT NULL,
  delivery_id text NOT NULL,
  event text NOT NULL,
  payload text NOT NULL,
  state text NOT NULL,
  attempts bigint NOT NULL,
  due_time bigint NOT NULL,
  creation_time bigint NOT NULL,
  last_error text NOT NULL
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (state, due_time, id);
