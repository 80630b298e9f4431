-- What is known of a record from its changes: the newest version wins, whatever order they come in.
CREATE TABLE "record" (
  "system" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "order_key" TEXT NOT NULL,
  "data" JSON NOT NULL,
  "late_count" INTEGER NOT NULL DEFAULT 0,
  "reported" BOOLEAN NOT NULL DEFAULT false,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "record_pkey" PRIMARY KEY ("system", "type", "key")
);

-- How far a poll has come.
CREATE TABLE "checkpoint" (
  "system" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "cursor_time" TEXT NOT NULL,
  "cursor_tie" TEXT NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "checkpoint_pkey" PRIMARY KEY ("system", "type")
);

-- What could not be understood, with its reason, as it came.
CREATE TABLE "quarantine" (
  "id" UUID NOT NULL DEFAULT gen_random_uuid(),
  "system" TEXT NOT NULL,
  "source" TEXT NOT NULL,
  "dedupe_id" TEXT NOT NULL,
  "type" TEXT,
  "reason" TEXT NOT NULL,
  "body" BYTEA NOT NULL,
  "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "quarantine_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "quarantine_system_source_dedupe_id_key" ON "quarantine" ("system", "source", "dedupe_id");
CREATE INDEX "quarantine_received_at_idx" ON "quarantine" ("received_at");

-- Deliveries that were acknowledged: the same id again changes nothing.
CREATE TABLE "delivery" (
  "system" TEXT NOT NULL,
  "source" TEXT NOT NULL,
  "dedupe_id" TEXT NOT NULL,
  "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "delivery_pkey" PRIMARY KEY ("system", "source", "dedupe_id")
);

CREATE INDEX "delivery_received_at_idx" ON "delivery" ("received_at");
