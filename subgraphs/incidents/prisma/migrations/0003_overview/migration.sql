-- The overview and the inboxes of centres are answered by indexes alone.

DROP INDEX "incident_confidential_state_division_idx";
CREATE INDEX "incident_overview_idx" ON "incident"("confidential", "state", "division" text_pattern_ops, "department", "due_at");
CREATE INDEX "incident_centre_state_idx" ON "incident"("centre", "state", "reported_at" DESC, "id");
