-- Writes to old systems: each is stored before it is sent, and kept with what became of it.
CREATE TABLE "command" (
  "id" UUID NOT NULL,
  "seq" BIGSERIAL NOT NULL,
  "system" TEXT NOT NULL,
  "source" TEXT NOT NULL,
  "field" TEXT NOT NULL,
  "principal" TEXT NOT NULL,
  "idempotency_key" TEXT NOT NULL,
  "content_hash" TEXT NOT NULL,
  "args" JSON NOT NULL,
  "subject" TEXT,
  "state" TEXT NOT NULL,
  "version" INTEGER NOT NULL DEFAULT 1,
  "may_be_applied" BOOLEAN NOT NULL DEFAULT false,
  "tries" INTEGER NOT NULL DEFAULT 0,
  "fruitless" INTEGER NOT NULL DEFAULT 0,
  "attempt_count" INTEGER NOT NULL DEFAULT 0,
  "code" TEXT,
  "upstream_ref" TEXT,
  "result" JSON,
  "correlation_id" TEXT NOT NULL,
  "lease_token" UUID,
  "lease_until" TIMESTAMPTZ(3),
  "next_at" TIMESTAMPTZ(3),
  "unknown_since" TIMESTAMPTZ(3),
  "give_up_at" TIMESTAMPTZ(3) NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "command_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "command_system_source_idempotency_key_key" ON "command" ("system", "source", "idempotency_key");
CREATE INDEX "command_system_source_state_next_at_idx" ON "command" ("system", "source", "state", "next_at");
CREATE INDEX "command_system_source_subject_state_idx" ON "command" ("system", "source", "subject", "state");
CREATE INDEX "command_created_at_id_idx" ON "command" ("created_at", "id");

-- Every time that a command was sent, or its system was asked about it.
CREATE TABLE "command_attempt" (
  "command_id" UUID NOT NULL,
  "number" INTEGER NOT NULL,
  "kind" TEXT NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  "ended_at" TIMESTAMPTZ(3),
  "outcome" TEXT NOT NULL,
  "code" TEXT,
  CONSTRAINT "command_attempt_pkey" PRIMARY KEY ("command_id", "number"),
  CONSTRAINT "command_attempt_command_id_fkey" FOREIGN KEY ("command_id") REFERENCES "command" ("id") ON DELETE CASCADE
);
