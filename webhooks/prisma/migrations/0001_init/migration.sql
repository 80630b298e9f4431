-- How far a webhook has come.
CREATE TABLE "webhook" (
  "name" TEXT NOT NULL,
  "cursor" TEXT,
  "delivered" BIGINT NOT NULL DEFAULT 0,
  "delivered_at" TIMESTAMPTZ(3),
  "failure" TEXT,
  "failed_at" TIMESTAMPTZ(3),
  CONSTRAINT "webhook_pkey" PRIMARY KEY ("name")
);

-- What could not be delivered in all its attempts.
CREATE TABLE "dead_letter" (
  "id" TEXT NOT NULL,
  "webhook" TEXT NOT NULL,
  "place" BIGSERIAL NOT NULL,
  "body" TEXT NOT NULL,
  "attempts" INTEGER NOT NULL,
  "failure" TEXT NOT NULL,
  "died_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "redrive_asked_at" TIMESTAMPTZ(3),
  CONSTRAINT "dead_letter_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "dead_letter_webhook_place_idx" ON "dead_letter" ("webhook", "place");
