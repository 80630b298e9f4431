// The watch over deadlines: each that passes becomes one step with its event, whichever process sees it first.
import type { Logger } from '@weft/core/logger';
import type { HashAlgorithm } from '@weft/evidence/hash';
import { TRANSACTION_LIMITS } from '../store.ts';
import { dueColumns, runningDeadlines } from './deadlines.ts';
import type { Incident, Prisma, PrismaClient } from './generated/client.ts';
import { DEADLINE_LABELS, type DeadlineKind, type IncidentState } from './labels.ts';
import { lockIncidents } from './lock.ts';
import { testimonyOfLibrary } from './step-evidence.ts';
import { writeStep } from './steps.ts';
import { startWatch, type Watch } from './watch.ts';

/** Between two looks. */
const LOOK_MS = 5_000;
/** Incidents in one look; those beyond come with the next, at once. */
const INCIDENTS_MAX = 100;
/** Who says it, as it stands in the step. */
const BY = 'incidents';

/** Looks until closed. */
export function startOverdueWatch(prisma: PrismaClient, hash: HashAlgorithm, logger: Logger): Watch {
  const look = async (signal: AbortSignal) =>
    (await tellOverdue(prisma, new Date(), hash, signal)) === INCIDENTS_MAX;
  return startWatch({ name: 'overdue', everyMs: LOOK_MS, look, logger });
}

/**
 * Takes the step OVERDUE for each deadline that has passed and of which none says so.
 * @returns how many incidents were looked at
 */
export async function tellOverdue(
  prisma: PrismaClient,
  now: Date,
  hash: HashAlgorithm,
  signal?: AbortSignal,
): Promise<number> {
  const due = await prisma.incident.findMany({
    where: { overdueCheckAt: { lte: now } },
    orderBy: { overdueCheckAt: 'asc' },
    take: INCIDENTS_MAX,
    select: { id: true },
  });
  for (const { id } of due) {
    if (signal?.aborted) break;
    await prisma.$transaction((tx) => tellOne(tx, id, now, hash), TRANSACTION_LIMITS);
  }
  return due.length;
}

/** Somebody may have acted on it, or told this, while its lock was waited for. */
async function tellOne(
  tx: Prisma.TransactionClient,
  id: string,
  now: Date,
  hash: HashAlgorithm,
): Promise<void> {
  await lockIncidents(tx, [id]);
  let incident: Incident = await tx.incident.findUniqueOrThrow({ where: { id } });
  if (incident.overdueCheckAt === null || incident.overdueCheckAt > now) return;
  const number = incident.attempt;
  const attempt =
    number === 0
      ? null
      : await tx.attempt.findUnique({ where: { incidentId_number: { incidentId: id, number } } });
  const passed = runningDeadlines(incident, attempt).filter(
    ({ overdueAt, dueAt }) => overdueAt === null && dueAt <= now,
  );
  // The column says what the deadlines do not: mended, or it would be looked at for ever.
  if (passed.length === 0) await tx.incident.update({ where: { id }, data: dueColumns(incident, attempt) });
  for (const { kind, attempt: of } of passed) {
    await noteOnAttempt(tx, kind, id, number, now);
    const to = incident.state as IncidentState;
    const { department } = incident;
    const facts = { kind: 'OVERDUE', to, at: now, by: BY, attempt: of, department, reason: kind } as const;
    const patch = kind === 'REPLY' ? { replyOverdueAt: now } : {};
    const testimony = testimonyOfLibrary('DEADLINE', hash);
    incident = await writeStep(tx, incident, facts, { testimony, patch, remark: DEADLINE_LABELS[kind] });
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
