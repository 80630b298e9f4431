-- Files that were taken in: what of each is done, so that a restart goes on where it was.
CREATE TABLE "file" (
  "id" BIGSERIAL NOT NULL,
  "system" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "path" TEXT NOT NULL,
  "sha256" TEXT NOT NULL,
  "size" BIGINT NOT NULL,
  "modified_at" TIMESTAMPTZ(3) NOT NULL,
  "state" TEXT NOT NULL DEFAULT 'TAKING',
  "rows_done" INTEGER NOT NULL DEFAULT 0,
  "rows_bad" INTEGER NOT NULL DEFAULT 0,
  "taken_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "file_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "file_system_type_path_idx" ON "file" ("system", "type", "path");
CREATE INDEX "file_seen_at_idx" ON "file" ("seen_at");

-- Where in a file an item stood, how often it was replayed, and who put it away for what reason.
ALTER TABLE "quarantine" ADD COLUMN "place" TEXT;
ALTER TABLE "quarantine" ADD COLUMN "attempts" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "quarantine" ADD COLUMN "attempted_at" TIMESTAMPTZ(3);
ALTER TABLE "quarantine" ADD COLUMN "discarded_at" TIMESTAMPTZ(3);
ALTER TABLE "quarantine" ADD COLUMN "discarded_by" TEXT;
ALTER TABLE "quarantine" ADD COLUMN "discard_reason" TEXT;

-- Versions of records that came after a newer one: kept as they came, no event.
CREATE TABLE "late_change" (
  "system" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "order_key" TEXT NOT NULL,
  "data" JSON NOT NULL,
  "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "late_change_pkey" PRIMARY KEY ("system", "type", "key", "order_key")
);

CREATE INDEX "late_change_received_at_idx" ON "late_change" ("received_at");
