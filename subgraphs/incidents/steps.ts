// Writes one step of an incident: the row, the attempt, the step, the event, the evidence and who is to be told, in the transaction that holds it.

import type { SqlTransaction, StoreTransaction } from '@weft/core/sql-store';
import { postgresAppender } from '@weft/events/postgres/appender';
import { appendEvidenceAfter } from '@weft/evidence/postgres/append';
import { INCIDENT_NOTIFICATION_TOPIC } from '@weft/schema/incident-notification';
import { dueColumns } from './deadlines.ts';
import type { Attempt, Incident } from './generated/client.ts';
import type { Held } from './hold.ts';
import { contextOf, type Dispatch, INCIDENT_TOPIC, incidentEvent, type Step } from './incident-event.ts';
import type { IncidentState } from './labels.ts';
import { notifyReporters } from './notifications.ts';
import { inOneStatement, insertAttempt, type Sql, updateAttempt, updateIncident } from './rows.ts';
import { evidenceOfStep, type Testimony } from './step-evidence.ts';

/** What is written besides the step itself. */
export interface StepWrite {
  readonly testimony: Testimony;
  readonly patch?: Partial<Incident>;
  /** Of the latest attempt. */
  readonly attemptPatch?: Partial<Attempt> | undefined;
  /** The next one. */
  readonly newAttempt?: Attempt | undefined;
  readonly dispatch?: Dispatch | undefined;
  readonly remark?: string | null;
  readonly requestId?: string | null;
  readonly fingerprint?: string | null;
}

/** What of a step its caller knows. */
export type StepFacts = Omit<Step, 'incidentId' | 'sequence' | 'from' | 'to'> & {
  readonly to: IncidentState;
};

const INSERT_STEP = `
INSERT INTO incidents.incident_step (incident_id, sequence, kind, "from", "to", at, by, remark, role, reason, attempt, department,
  centre, other, rating, request_id, fingerprint)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`;

/**
 * Takes an incident, that the transaction holds, to its next version. Nothing of it is waited for: it is sent with what comes next.
 * @returns the incident as it is then
 */
export async function writeStep(
  tx: StoreTransaction,
  held: Held,
  facts: StepFacts,
  write: StepWrite,
): Promise<Held> {
  const before = held.incident;
  const { id, version } = before;
  const step: Step = { ...facts, incidentId: id, sequence: version + 1, from: before.state as IncidentState };
  const { attempt, writes } = writeAttempt(held, write);
  const moved = { ...write.patch, state: facts.to, version: version + 1 };
  const due = dueColumns({ ...before, ...moved }, attempt);
  const after = { ...before, ...moved, ...due };
  writes.push(updateIncident(id, { ...moved, ...changedOf(before, due) }));
  const { requestId = null, fingerprint = null, remark = null, testimony } = write;
  writes.push(insertStep({ ...step, remark }, requestId, fingerprint));
  const notifying = notifyReporters(held, step, attempt);
  if (notifying !== undefined) writes.push(notifying.insert);
  const told = { ...step, remark, requestId, attemptRow: attempt, notifications: notifying?.count };
  const fresh = evidenceOfStep(told, { before, after }, testimony);
  const evidence = await appendEvidenceAfter(gatheredIn(writes), testimony.hash, held.evidence, fresh);
  const { sql, parameters } = inOneStatement(writes);
  await tx.later.query(sql, parameters);
  const context = {
    ...contextOf(after, before),
    ...(write.dispatch === undefined ? {} : { dispatch: write.dispatch }),
    ...(notifying === undefined ? {} : { notifications: notifying.count }),
  };
  await postgresAppender.append(tx.later, INCIDENT_TOPIC, [incidentEvent({ ...step, remark }, context)]);
  if (notifying !== undefined)
    await postgresAppender.append(tx.later, INCIDENT_NOTIFICATION_TOPIC, notifying.events);
  return { ...held, incident: after, attempt, evidence };
}

/** The latest attempt as it is then, and what writes it. */
function writeAttempt(
  { attempt }: Held,
  { attemptPatch, newAttempt }: StepWrite,
): { readonly attempt: Attempt | null; readonly writes: Sql[] } {
  if (newAttempt !== undefined) return { attempt: newAttempt, writes: [insertAttempt(newAttempt)] };
  if (attempt === null || attemptPatch === undefined) return { attempt, writes: [] };
  return {
    attempt: { ...attempt, ...attemptPatch },
    writes: [updateAttempt(attempt.incidentId, attempt.number, attemptPatch)],
  };
}

/** Keeps statements to be sent with others. */
function gatheredIn(writes: Sql[]): SqlTransaction {
  return {
    query(sql, parameters) {
      writes.push({ sql, parameters });
      return Promise.resolve([]);
    },
  };
}

/** What of some columns is another than before. */
function changedOf(before: Incident, columns: Partial<Incident>): Partial<Incident> {
  return Object.fromEntries(
    Object.entries(columns).filter(
      ([name, value]) => +(before[name as keyof Incident] ?? 0) !== +(value ?? 0),
    ),
  );
}

function insertStep(step: Step, requestId: string | null, fingerprint: string | null): Sql {
  const { incidentId, sequence, kind, from, to, at, by, remark, role, reason } = step;
  const { attempt, department, centre, other, rating } = step;
  return {
    sql: INSERT_STEP,
    parameters: [
      ...[incidentId, sequence, kind, from, to, at, by, remark, role, reason],
      ...[attempt, department, centre, other, rating, requestId, fingerprint],
    ],
  };
}
