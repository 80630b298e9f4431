-- The closed loop: attempts, deadlines, reporters, merging. What is stored already is kept and filled in.

ALTER TABLE "incident"
    ADD COLUMN "urgency" TEXT NOT NULL DEFAULT 'NORMAL',
    ADD COLUMN "confidential" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "longitude" DOUBLE PRECISION,
    ADD COLUMN "latitude" DOUBLE PRECISION,
    ADD COLUMN "centre" TEXT,
    ADD COLUMN "merged_into" UUID,
    ADD COLUMN "round" INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN "attempt" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "return_count" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "rework_count" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "verified_at" TIMESTAMPTZ(3),
    ADD COLUMN "extension_until" TIMESTAMPTZ(3),
    ADD COLUMN "supervised_at" TIMESTAMPTZ(3),
    ADD COLUMN "rating" INTEGER,
    ADD COLUMN "evaluation" TEXT,
    ADD COLUMN "closed_at" TIMESTAMPTZ(3),
    ADD COLUMN "reply_due_at" TIMESTAMPTZ(3),
    ADD COLUMN "reply_by_weekdays" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "reply_overdue_at" TIMESTAMPTZ(3),
    ADD COLUMN "due_at" TIMESTAMPTZ(3),
    ADD COLUMN "overdue_check_at" TIMESTAMPTZ(3),
    ADD COLUMN "duplicate_check" BOOLEAN NOT NULL DEFAULT false;

ALTER TABLE "incident_step"
    ADD COLUMN "role" TEXT,
    ADD COLUMN "reason" TEXT,
    ADD COLUMN "attempt" INTEGER,
    ADD COLUMN "department" TEXT,
    ADD COLUMN "centre" TEXT,
    ADD COLUMN "other" UUID,
    ADD COLUMN "rating" INTEGER,
    ADD COLUMN "request_id" TEXT,
    ADD COLUMN "fingerprint" TEXT;

CREATE TABLE "attempt" (
    "incident_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "round" INTEGER NOT NULL,
    "department" TEXT NOT NULL,
    "routed_at" TIMESTAMPTZ(3) NOT NULL,
    "routed_by" TEXT NOT NULL,
    "override_reason" TEXT,
    "signed_at" TIMESTAMPTZ(3),
    "signed_by" TEXT,
    "returned_at" TIMESTAMPTZ(3),
    "return_reason" TEXT,
    "return_text" TEXT,
    "fed_back_at" TIMESTAMPTZ(3),
    "result" TEXT,
    "rework_count" INTEGER NOT NULL DEFAULT 0,
    "extension_count" INTEGER NOT NULL DEFAULT 0,
    "outcome" TEXT,
    "external_kind" TEXT,
    "external_number" TEXT,
    "sign_due_at" TIMESTAMPTZ(3),
    "return_due_at" TIMESTAMPTZ(3),
    "handle_due_at" TIMESTAMPTZ(3),
    "by_weekdays" BOOLEAN NOT NULL DEFAULT false,
    "sign_overdue_at" TIMESTAMPTZ(3),
    "handle_overdue_at" TIMESTAMPTZ(3),

    CONSTRAINT "attempt_pkey" PRIMARY KEY ("incident_id","number")
);

CREATE TABLE "reporter" (
    "report_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "incident_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT,
    "contact" TEXT,
    "channel" TEXT NOT NULL,
    "subject" TEXT,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "reporter_pkey" PRIMARY KEY ("report_id","number")
);

CREATE TABLE "co_handler" (
    "incident_id" UUID NOT NULL,
    "department" TEXT NOT NULL,
    "added_at" TIMESTAMPTZ(3) NOT NULL,
    "added_by" TEXT NOT NULL,

    CONSTRAINT "co_handler_pkey" PRIMARY KEY ("incident_id","department")
);

CREATE TABLE "notification" (
    "incident_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "report_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "channel" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notification_pkey" PRIMARY KEY ("incident_id","sequence","report_id","number")
);

-- What is stored: the centre of the place, one reporter each, and the dispatch of what was routed. Deadlines begin with
-- the next dispatch: what was promised to nobody is not overdue.
UPDATE "incident" SET
    "centre" = "division" || '-01',
    "attempt" = CASE WHEN "department" IS NULL THEN 0 ELSE 1 END;

INSERT INTO "reporter" ("report_id", "number", "incident_id", "kind", "channel", "reported_at")
SELECT "id", 1, "id", CASE WHEN "channel" = 'SYSTEM_PUSH' THEN 'EXTERNAL_SYSTEM' ELSE 'CITIZEN' END, "channel", "reported_at"
FROM "incident";

INSERT INTO "attempt" ("incident_id", "number", "round", "department", "routed_at", "routed_by")
SELECT i."id", 1, 1, i."department", s."at", s."by"
FROM "incident" i
JOIN LATERAL (
    SELECT "at", "by" FROM "incident_step" WHERE "incident_id" = i."id" ORDER BY "kind" = 'ROUTED' DESC, "sequence" DESC LIMIT 1
) s ON true
WHERE i."department" IS NOT NULL;

UPDATE "incident_step" s SET "attempt" = 1, "department" = i."department"
FROM "incident" i WHERE i."id" = s."incident_id" AND s."kind" = 'ROUTED';

CREATE UNIQUE INDEX "incident_step_incident_id_request_id_key" ON "incident_step"("incident_id", "request_id");
CREATE INDEX "incident_confidential_state_division_idx" ON "incident"("confidential", "state", "division" text_pattern_ops);
CREATE INDEX "incident_overdue_check_at_idx" ON "incident"("overdue_check_at");
CREATE INDEX "incident_duplicate_check_idx" ON "incident"("duplicate_check");
CREATE INDEX "incident_latitude_longitude_idx" ON "incident"("latitude", "longitude");
CREATE INDEX "incident_merged_into_idx" ON "incident"("merged_into");
CREATE INDEX "attempt_external_kind_external_number_idx" ON "attempt"("external_kind", "external_number");
CREATE INDEX "reporter_incident_id_idx" ON "reporter"("incident_id");
CREATE INDEX "reporter_subject_idx" ON "reporter"("subject");
CREATE INDEX "notification_state_created_at_idx" ON "notification"("state", "created_at");

ALTER TABLE "attempt" ADD CONSTRAINT "attempt_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "incident"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "reporter" ADD CONSTRAINT "reporter_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "incident"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "co_handler" ADD CONSTRAINT "co_handler_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "incident"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "notification" ADD CONSTRAINT "notification_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "incident"("id") ON DELETE CASCADE ON UPDATE CASCADE;
