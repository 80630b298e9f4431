-- Who is told of what, by which way, and what became of it.
ALTER TABLE "external_number" ADD COLUMN "report_id" UUID;
-- Numbers came with the report that made the incident, but for those of departments' own systems. Of what was merged before it is not known which report
-- a number came with: they are told as the survivor's.
UPDATE "external_number" n SET "report_id" = n."incident_id"
WHERE NOT EXISTS (
    SELECT 1 FROM "attempt" a
    WHERE a."incident_id" = n."incident_id" AND a."external_kind" = n."kind" AND a."external_number" = n."number"
);

ALTER TABLE "notification"
    ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'CLOSED',
    ADD COLUMN "text" TEXT NOT NULL DEFAULT '',
    ADD COLUMN "system" TEXT,
    ADD COLUMN "code" TEXT,
    ADD COLUMN "command_id" UUID,
    ADD COLUMN "command_version" INTEGER,
    ADD COLUMN "updated_at" TIMESTAMPTZ(3);
UPDATE "notification" n SET "kind" = s."kind", "updated_at" = n."created_at"
FROM "incident_step" s WHERE s."incident_id" = n."incident_id" AND s."sequence" = n."sequence";
UPDATE "notification" SET "updated_at" = "created_at" WHERE "updated_at" IS NULL;
ALTER TABLE "notification"
    ALTER COLUMN "kind" DROP DEFAULT,
    ALTER COLUMN "text" DROP DEFAULT,
    ALTER COLUMN "updated_at" SET NOT NULL;

CREATE INDEX "notification_report_id_number_idx" ON "notification"("report_id", "number");
ALTER TABLE "notification" ADD CONSTRAINT "notification_report_id_number_fkey" FOREIGN KEY ("report_id", "number") REFERENCES "reporter"("report_id", "number") ON DELETE CASCADE ON UPDATE CASCADE;
