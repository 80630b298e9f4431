-- The log: one row an event, written in the transaction that makes the change.
-- Position = (tx, seq). Serial numbers alone are no positions: a number taken early may be committed late.
CREATE TABLE "event" (
  "tx" xid8 NOT NULL DEFAULT pg_current_xact_id(),
  "seq" BIGSERIAL NOT NULL,
  "topic" TEXT NOT NULL,
  "source" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "partitionkey" TEXT,
  "time" TIMESTAMPTZ(6) NOT NULL,
  "envelope" JSON NOT NULL,
  "appended_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "event_pkey" PRIMARY KEY ("seq")
);

-- An event told twice is kept once.
CREATE UNIQUE INDEX "event_source_id_key" ON "event" ("source", "id");

-- How a topic is read.
CREATE INDEX "event_topic_tx_seq_idx" ON "event" ("topic", "tx", "seq");

-- Up to where, itself included, the events of a topic are no longer kept.
CREATE TABLE "retention" (
  "topic" TEXT NOT NULL,
  "trimmed_tx" xid8 NOT NULL,
  "trimmed_seq" BIGINT NOT NULL,
  CONSTRAINT "retention_pkey" PRIMARY KEY ("topic")
);
