-- What is looked for again and again is unsettled, and most commands are not: an index over those alone.
CREATE INDEX "command_unsettled_idx" ON "command" ("system", "source", "state", "seq")
  WHERE "state" IN ('PENDING', 'SENT', 'UNKNOWN');
