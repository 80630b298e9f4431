-- What awaits a department is found by it, and read in the order of its deadlines.
CREATE INDEX "incident_department_state_idx" ON "incident"("department", "state", "due_at");
