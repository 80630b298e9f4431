-- CreateTable
CREATE TABLE "incident" (
    "id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT,
    "channel" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "matter" TEXT,
    "division" TEXT,
    "address" TEXT,
    "department" TEXT,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "fingerprint" TEXT,

    CONSTRAINT "incident_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "incident_step" (
    "incident_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "from" TEXT,
    "to" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "by" TEXT NOT NULL,
    "remark" TEXT,

    CONSTRAINT "incident_step_pkey" PRIMARY KEY ("incident_id","sequence")
);

-- CreateTable
CREATE TABLE "external_number" (
    "incident_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "number" TEXT NOT NULL,
    "source" TEXT NOT NULL,

    CONSTRAINT "external_number_pkey" PRIMARY KEY ("incident_id","kind","number")
);

-- CreateTable
CREATE TABLE "intake_rejected" (
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "envelope" TEXT NOT NULL,
    "rejected_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "intake_rejected_pkey" PRIMARY KEY ("source","event_id")
);

-- CreateTable
CREATE TABLE "checkpoint" (
    "consumer" TEXT NOT NULL,
    "position" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "checkpoint_pkey" PRIMARY KEY ("consumer")
);

-- CreateIndex
CREATE INDEX "incident_reported_at_id_idx" ON "incident"("reported_at" DESC, "id");

-- CreateIndex
CREATE INDEX "incident_state_reported_at_id_idx" ON "incident"("state", "reported_at" DESC, "id");

-- CreateIndex
CREATE INDEX "incident_division_idx" ON "incident"("division" text_pattern_ops);

-- CreateIndex
CREATE INDEX "external_number_kind_number_idx" ON "external_number"("kind", "number");

-- AddForeignKey
ALTER TABLE "incident_step" ADD CONSTRAINT "incident_step_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "incident"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "external_number" ADD CONSTRAINT "external_number_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "incident"("id") ON DELETE CASCADE ON UPDATE CASCADE;
