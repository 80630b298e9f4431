-- Whether each source still is what its contract says: the latest measuring, and when it last turned out otherwise.
CREATE TABLE "contract_drift" (
  "system" TEXT NOT NULL,
  "source" TEXT NOT NULL,
  "verdict" TEXT NOT NULL,
  "contract_hash" TEXT,
  "live_hash" TEXT,
  "changes" JSON NOT NULL,
  "change_count" INTEGER NOT NULL,
  "reason" TEXT,
  "version" INTEGER NOT NULL DEFAULT 1,
  "checked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "contract_drift_pkey" PRIMARY KEY ("system", "source")
);
