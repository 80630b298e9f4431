-- Which log this is, so that several can share a server that carries them live.
CREATE TABLE "log" (
  "id" UUID NOT NULL DEFAULT gen_random_uuid(),
  CONSTRAINT "log_pkey" PRIMARY KEY ("id")
);
INSERT INTO "log" DEFAULT VALUES;

-- Who moves events to the live engine and trims. `fence` grows with every holder: an engine refuses a smaller one.
-- `beat` grows while the holder lives; one that stands still for too long is over, by the clock of who watches it.
CREATE TABLE "relay_lease" (
  "name" TEXT NOT NULL,
  "holder" TEXT,
  "fence" BIGINT NOT NULL,
  "beat" BIGINT NOT NULL,
  CONSTRAINT "relay_lease_pkey" PRIMARY KEY ("name")
);

-- What the live engine has acknowledged of a topic, and of which filling.
CREATE TABLE "relay_topic" (
  "topic" TEXT NOT NULL,
  "engine" TEXT NOT NULL,
  "generation" TEXT NOT NULL,
  "acked_tx" xid8 NOT NULL,
  "acked_seq" BIGINT NOT NULL,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "relay_topic_pkey" PRIMARY KEY ("topic")
);

-- Events that the live engine would not take. They stay in the log, where readers find them.
CREATE TABLE "dead_letter" (
  "id" BIGSERIAL NOT NULL,
  "topic" TEXT NOT NULL,
  "tx" xid8 NOT NULL,
  "seq" BIGINT NOT NULL,
  "source" TEXT NOT NULL,
  "event_id" TEXT NOT NULL,
  "engine" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "tries" INTEGER NOT NULL,
  "failed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "redrive_at" TIMESTAMPTZ(6),
  CONSTRAINT "dead_letter_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "dead_letter_topic_seq_key" ON "dead_letter" ("topic", "seq");

-- Bytes of the topic's events up to the position that was counted, so that retention by size need not read them all.
ALTER TABLE "retention"
  ADD COLUMN "counted_tx" xid8 NOT NULL DEFAULT '0',
  ADD COLUMN "counted_seq" BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN "bytes" BIGINT NOT NULL DEFAULT 0;
