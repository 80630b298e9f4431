-- AlterTable: what stands there was told at its latest time, as far as anybody knows.
ALTER TABLE "system" ADD COLUMN "told_at" TIMESTAMPTZ(3);
UPDATE "system" SET "told_at" = COALESCE(GREATEST("since", "last_seen"), now());
ALTER TABLE "system" ALTER COLUMN "told_at" SET NOT NULL;
