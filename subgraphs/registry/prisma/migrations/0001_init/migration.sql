-- CreateTable
CREATE TABLE "system" (
    "name" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "since" TIMESTAMPTZ(3),
    "last_seen" TIMESTAMPTZ(3),

    CONSTRAINT "system_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "checkpoint" (
    "consumer" TEXT NOT NULL,
    "position" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "checkpoint_pkey" PRIMARY KEY ("consumer")
);
