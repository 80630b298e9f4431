-- Commands that carry an incident to a department's system, and how far the topic of incidents was read for them.
ALTER TABLE "command" ADD COLUMN "dispatch" JSON;

CREATE TABLE "dispatch_checkpoint" (
  "reader" TEXT NOT NULL,
  "position" TEXT NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "dispatch_checkpoint_pkey" PRIMARY KEY ("reader")
);
