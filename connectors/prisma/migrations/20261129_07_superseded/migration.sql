-- Commands whose attempt has ended: they are not sent any more.
ALTER TABLE "command" ADD COLUMN "superseded_at" TIMESTAMPTZ(3);
