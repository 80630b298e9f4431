// Writes one step of an incident: the row, the step, the event, the evidence and who is to be told, in the transaction that holds it.
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { appendEvidence } from '@weft/evidence/postgres/append';
import { dueColumns } from './deadlines.ts';
import type { Incident, Prisma } from './generated/client.ts';
import { contextOf, type Dispatch, INCIDENT_TOPIC, incidentEvent, type Step } from './incident-event.ts';
import type { IncidentState } from './labels.ts';
import { evidenceOfStep, type Testimony } from './step-evidence.ts';

/** The states at which those who reported are told. */
const TOLD_STATES: ReadonlySet<IncidentState> = new Set<IncidentState>(['CLOSED', 'REJECTED', 'INVALID']);

/** What is written besides the step itself. */
export interface StepWrite {
  readonly testimony: Testimony;
  readonly patch?: Prisma.IncidentUncheckedUpdateInput;
  readonly dispatch?: Dispatch | undefined;
  readonly remark?: string | null;
  readonly requestId?: string | null;
  readonly fingerprint?: string | null;
}

/** What of a step its caller knows. */
export type StepFacts = Omit<Step, 'incidentId' | 'sequence' | 'from' | 'to'> & {
  readonly to: IncidentState;
};

/**
 * Takes an incident, that the transaction has locked, to its next version.
 * @param before the row as it is
 */
export async function writeStep(
  tx: Prisma.TransactionClient,
  before: Incident,
  facts: StepFacts,
  write: StepWrite,
): Promise<Incident> {
  const { id, version } = before;
  const step: Step = { ...facts, incidentId: id, sequence: version + 1, from: before.state as IncidentState };
  const moved = await tx.incident.update({
    where: { id },
    data: { ...write.patch, state: facts.to, version: version + 1 },
  });
  const attempt =
    moved.attempt === 0
      ? null
      : await tx.attempt.findUnique({
          where: { incidentId_number: { incidentId: id, number: moved.attempt } },
        });
  const due = dueColumns(moved, attempt);
  const isSame =
    +(due.dueAt ?? 0) === +(moved.dueAt ?? 0) && +(due.overdueCheckAt ?? 0) === +(moved.overdueCheckAt ?? 0);
  const after = isSame ? moved : await tx.incident.update({ where: { id }, data: due });
  const { requestId = null, fingerprint = null, remark = null } = write;
  await tx.incidentStep.create({ data: { ...step, remark, requestId, fingerprint } });
  const notifications =
    TOLD_STATES.has(facts.to) && facts.to !== step.from ? await notify(tx, step) : undefined;
  const context = {
    ...contextOf(after, before),
    ...(write.dispatch === undefined ? {} : { dispatch: write.dispatch }),
    ...(notifications === undefined ? {} : { notifications }),
  };
  await postgresAppender.append(fromPrisma(tx), INCIDENT_TOPIC, [
    incidentEvent({ ...step, remark }, context),
  ]);
  const told = { ...step, remark, requestId, attemptRow: attempt, notifications };
  await appendEvidence(fromPrisma(tx), write.testimony.hash, [
    evidenceOfStep(told, { before, after }, write.testimony),
  ]);
  return after;
}

/** One record for each who reported: whoever sends them takes those that are PENDING. */
async function notify(tx: Prisma.TransactionClient, { incidentId, sequence, at }: Step): Promise<number> {
  const reporters = await tx.reporter.findMany({ where: { incidentId } });
  const data = reporters.map(({ reportId, number, channel }) => ({
    incidentId,
    sequence,
    reportId,
    number,
    channel,
    state: 'PENDING',
    createdAt: at,
  }));
  return (await tx.notification.createMany({ data, skipDuplicates: true })).count;
}
