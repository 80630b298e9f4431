-- What becomes of dispatches to the systems of departments, and what these systems tell of their work.
ALTER TABLE "attempt"
    ADD COLUMN "delivery" TEXT,
    ADD COLUMN "delivered_at" TIMESTAMPTZ(3),
    ADD COLUMN "delivery_code" TEXT,
    ADD COLUMN "delivery_system" TEXT;

CREATE TABLE "delivery" (
    "command_id" UUID NOT NULL,
    "incident_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "system" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "code" TEXT,
    "upstream_ref" TEXT,
    "number_kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "next_at" TIMESTAMPTZ(3),

    CONSTRAINT "delivery_pkey" PRIMARY KEY ("command_id")
);
CREATE INDEX "delivery_next_at_idx" ON "delivery"("next_at");

CREATE TABLE "progress" (
    "sequence" BIGSERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "system" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "number" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT,
    "result" TEXT,
    "by" TEXT,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "give_up_at" TIMESTAMPTZ(3) NOT NULL,
    "next_at" TIMESTAMPTZ(3),
    "tries" INTEGER NOT NULL DEFAULT 0,
    "incident_id" UUID,
    "problem" TEXT,
    "problem_at" TIMESTAMPTZ(3),

    CONSTRAINT "progress_pkey" PRIMARY KEY ("sequence")
);
CREATE UNIQUE INDEX "progress_source_event_id_key" ON "progress"("source", "event_id");
CREATE INDEX "progress_next_at_idx" ON "progress"("next_at");
CREATE INDEX "progress_kind_number_idx" ON "progress"("kind", "number");
CREATE INDEX "progress_incident_id_idx" ON "progress"("incident_id");
