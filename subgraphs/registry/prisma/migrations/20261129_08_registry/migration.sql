CREATE TABLE "registration" (
    "name" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "contact" TEXT NOT NULL,
    "data_sharing_basis" TEXT NOT NULL,
    "needs_approval" BOOLEAN NOT NULL,
    "registered_at" TIMESTAMPTZ(3) NOT NULL,
    "registered_by" TEXT NOT NULL,
    "removed_at" TIMESTAMPTZ(3),
    "quarantine" TEXT,
    "quarantine_reason" TEXT,
    "quarantined_at" TIMESTAMPTZ(3),
    "quarantined_by_admin" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "registration_pkey" PRIMARY KEY ("name")
);

CREATE TABLE "version" (
    "system" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "sdl" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "subscriptions_url" TEXT,
    "subscriptions_protocol" TEXT,
    "folder" JSONB,
    "number" INTEGER NOT NULL,
    "commit" TEXT,
    "pushed_at" TIMESTAMPTZ(3) NOT NULL,
    "pushed_by_key" TEXT NOT NULL,
    "pushed_by" TEXT NOT NULL,

    CONSTRAINT "version_pkey" PRIMARY KEY ("system", "id")
);
CREATE UNIQUE INDEX "version_system_number_key" ON "version"("system", "number");

CREATE TABLE "approval" (
    "system" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "by_key" TEXT NOT NULL,
    "by" TEXT NOT NULL,
    "department" TEXT,
    "is_admin" BOOLEAN NOT NULL,
    "remark" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "approval_pkey" PRIMARY KEY ("system", "version", "by_key")
);

CREATE TABLE "publication" (
    "number" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "by_key" TEXT NOT NULL,
    "by" TEXT NOT NULL,
    "reason" TEXT,
    "content_of" INTEGER NOT NULL,

    CONSTRAINT "publication_pkey" PRIMARY KEY ("number")
);

CREATE TABLE "member" (
    "publication" INTEGER NOT NULL,
    "system" TEXT NOT NULL,
    "version" TEXT NOT NULL,

    CONSTRAINT "member_pkey" PRIMARY KEY ("publication", "system")
);

CREATE TABLE "graph" (
    "publication" INTEGER NOT NULL,
    "variant" TEXT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "graph_pkey" PRIMARY KEY ("publication", "variant")
);

CREATE TABLE "payload" (
    "hash" TEXT NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "payload_pkey" PRIMARY KEY ("hash")
);

CREATE TABLE "audit" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "by_key" TEXT NOT NULL,
    "by" TEXT NOT NULL,
    "department" TEXT,
    "action" TEXT NOT NULL,
    "systems" TEXT[],
    "reason" TEXT,
    "outcome" TEXT NOT NULL,
    "detail" TEXT,
    "publication" INTEGER,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "audit_at_idx" ON "audit"("at");

CREATE TABLE "request" (
    "by_key" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "publication" INTEGER,
    "system" TEXT,
    "version" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "request_pkey" PRIMARY KEY ("by_key", "request_id")
);
CREATE INDEX "request_at_idx" ON "request"("at");

CREATE TABLE "lease" (
    "system" TEXT NOT NULL,
    "instance" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "lease_pkey" PRIMARY KEY ("system", "instance")
);

CREATE TABLE "seed" (
    "system" TEXT NOT NULL,
    "version" TEXT NOT NULL,

    CONSTRAINT "seed_pkey" PRIMARY KEY ("system")
);

CREATE TABLE "check" (
    "id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "by" TEXT NOT NULL,
    "versions" JSONB NOT NULL,
    "result" JSONB NOT NULL,
    "approved_at" TIMESTAMPTZ(3),
    "approved_by" TEXT,
    "remark" TEXT,

    CONSTRAINT "check_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "check_at_idx" ON "check"("at");

CREATE TABLE "operation" (
    "hash" TEXT NOT NULL,
    "document" TEXT,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "coordinates" TEXT[],
    "first_seen" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "operation_pkey" PRIMARY KEY ("hash")
);
CREATE INDEX "operation_coordinates_idx" ON "operation" USING GIN ("coordinates");

CREATE TABLE "operation_use" (
    "day" DATE NOT NULL,
    "hash" TEXT NOT NULL,
    "client_name" TEXT NOT NULL,
    "client_version" TEXT NOT NULL,
    "count" BIGINT NOT NULL,
    "errors" BIGINT NOT NULL,
    "last_seen" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "operation_use_pkey" PRIMARY KEY ("hash", "day", "client_name", "client_version")
);
CREATE INDEX "operation_use_day_idx" ON "operation_use"("day");

CREATE TABLE "system_use" (
    "name" TEXT NOT NULL,
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "calls" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "p50_ms" DOUBLE PRECISION,
    "p99_ms" DOUBLE PRECISION,

    CONSTRAINT "system_use_pkey" PRIMARY KEY ("name", "minute")
);
CREATE INDEX "system_use_minute_idx" ON "system_use"("minute");

CREATE TABLE "drift" (
    "system" TEXT NOT NULL,
    "differences" TEXT[],
    "since" TIMESTAMPTZ(3) NOT NULL,
    "told_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "drift_pkey" PRIMARY KEY ("system")
);

CREATE TABLE "usage_report" (
    "gateway" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "dropped" INTEGER NOT NULL,

    CONSTRAINT "usage_report_pkey" PRIMARY KEY ("gateway", "sequence")
);
CREATE INDEX "usage_report_received_at_idx" ON "usage_report"("received_at");

ALTER TABLE "version" ADD CONSTRAINT "version_system_fkey" FOREIGN KEY ("system") REFERENCES "registration"("name") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "approval" ADD CONSTRAINT "approval_system_version_fkey" FOREIGN KEY ("system", "version") REFERENCES "version"("system", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "member" ADD CONSTRAINT "member_publication_fkey" FOREIGN KEY ("publication") REFERENCES "publication"("number") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "member" ADD CONSTRAINT "member_system_version_fkey" FOREIGN KEY ("system", "version") REFERENCES "version"("system", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "graph" ADD CONSTRAINT "graph_publication_fkey" FOREIGN KEY ("publication") REFERENCES "publication"("number") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "graph" ADD CONSTRAINT "graph_hash_fkey" FOREIGN KEY ("hash") REFERENCES "payload"("hash") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "lease" ADD CONSTRAINT "lease_system_fkey" FOREIGN KEY ("system") REFERENCES "registration"("name") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "operation_use" ADD CONSTRAINT "operation_use_hash_fkey" FOREIGN KEY ("hash") REFERENCES "operation"("hash") ON DELETE CASCADE ON UPDATE CASCADE;
