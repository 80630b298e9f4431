// The watch over departments' systems: what they tell is done as soon as it can be, and one does not hold up another.
import type { Logger } from '@weft/core/logger';
import { isStoreAway } from '../../store.ts';
import type { Delivery } from '../generated/client.ts';
import type { Library } from '../library.ts';
import { progressColumns } from '../rows.ts';
import { startWatch, type Watch } from '../watch.ts';
import { advance, type DueProgress } from './advance.ts';
import { deliver, type StepLaw } from './deliver.ts';

/** Between two looks. */
const LOOK_MS = 300;
/** Of each kind in one look; those beyond come with the next, at once. */
const ROWS_MAX = 100;
/**
 * Incidents that are worked on at once: one that somebody else holds does not hold up the others. With four the queue grew at 20
 * incidents a second while people and workers took the rest of the processors.
 */
const SIDE_BY_SIDE = 8;
/** Until what failed by a bug of ours is tried again. */
const FAILED_RETRY_MS = 30_000;

/** Looks until closed. */
export function startDepartmentWatch(library: Library, law: StepLaw, logger: Logger): Watch {
  const look = async (signal: AbortSignal) => {
    // First the numbers, then what is told under them: progress that met with no number would fall behind what is told after it.
    const delivered = await lookAtDeliveries(library, law, logger, signal);
    const advanced = await lookAtProgress(library, law, logger, signal);
    return Math.max(delivered, advanced) === ROWS_MAX;
  };
  return startWatch({ name: 'departments', everyMs: LOOK_MS, look, logger });
}

/**
 * Does what is due: of one incident in the order in which it is due, of several side by side.
 * @throws what one of them has thrown, when all that had begun have ended
 */
async function doEach<Due>(
  due: readonly Due[],
  subjectOf: (one: Due) => string,
  work: (one: Due) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const lanes = [...Map.groupBy(due, subjectOf).values()];
  let hasFailed = false;
  const takeLanes = async () => {
    for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
      for (const one of lane) {
        if (signal.aborted || hasFailed) return;
        await work(one).catch((thrown: unknown) => {
          hasFailed = true;
          throw thrown;
        });
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: SIDE_BY_SIDE }, takeLanes));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** @returns how many were due */
async function lookAtDeliveries(
  { prisma, sql }: Library,
  law: StepLaw,
  logger: Logger,
  signal: AbortSignal,
): Promise<number> {
  const due = await prisma.delivery.findMany({
    where: { nextAt: { lte: new Date() } },
    orderBy: { nextAt: 'asc' },
    take: ROWS_MAX,
  });
  const keep = async (delivery: Delivery) => {
    const { commandId } = delivery;
    try {
      await deliver(sql, delivery, law);
    } catch (err) {
      if (isStoreAway(err)) throw err;
      logger.error({ err, command: commandId }, 'what became of a dispatch could not be kept; tried again');
      const nextAt = new Date(Date.now() + FAILED_RETRY_MS);
      await prisma.delivery.updateMany({ where: { commandId, nextAt: { not: null } }, data: { nextAt } });
    }
  };
  await doEach(due, ({ incidentId }) => incidentId, keep, signal);
  return due.length;
}

const DUE_PROGRESS = `
SELECT ${progressColumns('p')}, (SELECT a.incident_id FROM incidents.attempt a
    WHERE a.external_kind = p.kind AND a.external_number = p.number ORDER BY a.routed_at DESC LIMIT 1) AS "attemptOf"
FROM incidents.progress p WHERE p.next_at <= $1 ORDER BY p.sequence LIMIT $2`;

/** In the order of the telling. @returns how many were due */
async function lookAtProgress(
  library: Library,
  law: StepLaw,
  logger: Logger,
  signal: AbortSignal,
): Promise<number> {
  const now = new Date();
  const due = await library.sql.query<DueProgress & Record<string, unknown>>(DUE_PROGRESS, [now, ROWS_MAX]);
  const take = async (progress: DueProgress) => {
    if ((await advance({ library, ...law, signal }, progress, now)) !== 'NEVER') return;
    const { system, kind, number, state, eventId } = progress;
    logger.warn({ system, kind, number, state, event: eventId }, 'what a department told could not be done');
  };
  await doEach(due, ({ kind, number }) => JSON.stringify([kind, number]), take, signal);
  return due.length;
}
