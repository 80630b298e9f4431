// The watch over deadlines: each that passes becomes one step with its event, whichever process sees it first.
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import { isStoreAway, TRANSACTION_LIMITS } from '../store.ts';
import { dueColumns, runningDeadlines } from './deadlines.ts';
import type { Incident, Prisma, PrismaClient } from './generated/client.ts';
import { DEADLINE_LABELS, type DeadlineKind, type IncidentState } from './labels.ts';
import { writeStep } from './steps.ts';

/** Between two looks. */
const LOOK_MS = 5_000;
/** Incidents in one look; those beyond come with the next, at once. */
const INCIDENTS_MAX = 100;
/** Who says it, as it stands in the step. */
const BY = 'incidents';

export interface OverdueWatch {
  /** Ends after the transaction in flight. */
  close(): Promise<void>;
}

/** Looks until closed; while the store is away it looks again. */
export function startOverdueWatch(
  prisma: PrismaClient,
  logger: Logger,
  lookMs: number = LOOK_MS,
): OverdueWatch {
  const stop = new AbortController();
  const ended = watch(prisma, logger, lookMs, stop.signal);
  return {
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}

async function watch(
  prisma: PrismaClient,
  logger: Logger,
  lookMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let seen = 0;
    try {
      seen = await tellOverdue(prisma, new Date(), signal);
    } catch (err) {
      logger[isStoreAway(err) ? 'warn' : 'error'](
        { err },
        'the deadlines could not be looked at; trying again',
      );
    }
    // Closing cuts the wait short.
    if (seen < INCIDENTS_MAX) await delay(lookMs, signal).catch(() => undefined);
  }
}

/**
 * Takes the step OVERDUE for each deadline that has passed and of which none says so.
 * @returns how many incidents were looked at
 */
export async function tellOverdue(prisma: PrismaClient, now: Date, signal?: AbortSignal): Promise<number> {
  const due = await prisma.incident.findMany({
    where: { overdueCheckAt: { lte: now } },
    orderBy: { overdueCheckAt: 'asc' },
    take: INCIDENTS_MAX,
    select: { id: true },
  });
  for (const { id } of due) {
    if (signal?.aborted) break;
    await prisma.$transaction((tx) => tellOne(tx, id, now), TRANSACTION_LIMITS);
  }
  return due.length;
}

/** Whoever holds the row acts on it, or tells this already: it is looked at again. */
async function tellOne(tx: Prisma.TransactionClient, id: string, now: Date): Promise<void> {
  const locked = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM incidents.incident WHERE id = ${id}::uuid AND overdue_check_at <= ${now} FOR UPDATE SKIP LOCKED`;
  if (locked.length === 0) return;
  let incident: Incident = await tx.incident.findUniqueOrThrow({ where: { id } });
  const number = incident.attempt;
  const attempt =
    number === 0
      ? null
      : await tx.attempt.findUnique({ where: { incidentId_number: { incidentId: id, number } } });
  const passed = runningDeadlines(incident, attempt).filter(
    ({ overdueAt, dueAt }) => overdueAt === null && dueAt <= now,
  );
  // The columns say what the deadlines do not: mended, or it would be looked at for ever.
  if (passed.length === 0) await tx.incident.update({ where: { id }, data: dueColumns(incident, attempt) });
  for (const { kind, attempt: of } of passed) {
    await noteOnAttempt(tx, kind, id, number, now);
    incident = await writeStep(
      tx,
      incident,
      {
        kind: 'OVERDUE',
        to: incident.state as IncidentState,
        at: now,
        by: BY,
        attempt: of,
        department: incident.department,
        reason: kind,
      },
      { patch: kind === 'REPLY' ? { replyOverdueAt: now } : {}, remark: DEADLINE_LABELS[kind] },
    );
  }
}

async function noteOnAttempt(
  tx: Prisma.TransactionClient,
  kind: DeadlineKind,
  id: string,
  number: number,
  now: Date,
): Promise<void> {
  if (kind === 'REPLY') return;
  const data = kind === 'SIGN' ? { signOverdueAt: now } : { handleOverdueAt: now };
  await tx.attempt.update({ where: { incidentId_number: { incidentId: id, number } }, data });
}
