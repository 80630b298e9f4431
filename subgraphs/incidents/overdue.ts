// The watch over deadlines: each that passes becomes one step with its event, whichever process sees it first.
import type { Logger } from '@weft/core/logger';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { HashAlgorithm } from '@weft/evidence/hash';
import { dueColumns, runningDeadlines } from './deadlines.ts';
import type { Attempt } from './generated/client.ts';
import { holdIncidents } from './hold.ts';
import { DEADLINE_LABELS, type DeadlineKind, type IncidentState } from './labels.ts';
import type { Library } from './library.ts';
import { updateIncident } from './rows.ts';
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
export function startOverdueWatch(library: Library, hash: HashAlgorithm, logger: Logger): Watch {
  const look = async (signal: AbortSignal) =>
    (await tellOverdue(library, new Date(), hash, signal)) === INCIDENTS_MAX;
  return startWatch({ name: 'overdue', everyMs: LOOK_MS, look, logger });
}

/**
 * Takes the step OVERDUE for each deadline that has passed and of which none says so.
 * @returns how many incidents were looked at
 */
export async function tellOverdue(
  { prisma, sql }: Library,
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
    await sql.transaction((tx) => tellOne(tx, id, now, hash));
  }
  return due.length;
}

/** Somebody may have acted on it, or told this, while its lock was waited for. */
async function tellOne(tx: StoreTransaction, id: string, now: Date, hash: HashAlgorithm): Promise<void> {
  let held = (await holdIncidents(tx, [id])).get(id);
  if (held === undefined) return;
  const { incident, attempt } = held;
  if (incident.overdueCheckAt === null || incident.overdueCheckAt > now) return;
  const passed = runningDeadlines(incident, attempt).filter(
    ({ overdueAt, dueAt }) => overdueAt === null && dueAt <= now,
  );
  if (passed.length === 0) {
    // The column says what the deadlines do not: mended, or it would be looked at for ever.
    const { sql, parameters } = updateIncident(id, dueColumns(incident, attempt));
    await tx.later.query(sql, parameters);
  }
  for (const { kind, attempt: of } of passed) {
    const to = incident.state as IncidentState;
    const { department } = incident;
    const facts = { kind: 'OVERDUE', to, at: now, by: BY, attempt: of, department, reason: kind } as const;
    const patch = kind === 'REPLY' ? { replyOverdueAt: now } : {};
    const attemptPatch = patchOfAttempt(kind, now);
    const testimony = testimonyOfLibrary('DEADLINE', hash);
    const remark = DEADLINE_LABELS[kind];
    held = await writeStep(tx, held, facts, { testimony, patch, attemptPatch, remark });
  }
}

function patchOfAttempt(kind: DeadlineKind, now: Date): Partial<Attempt> | undefined {
  if (kind === 'REPLY') return undefined;
  return kind === 'SIGN' ? { signOverdueAt: now } : { handleOverdueAt: now };
}
