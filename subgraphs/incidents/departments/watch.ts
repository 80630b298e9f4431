// The watch over departments' systems: what they tell is done as soon as it can be, and one does not hold up another.
import type { Logger } from '@weft/core/logger';
import { isStoreAway } from '../../store.ts';
import type { PrismaClient } from '../generated/client.ts';
import { startWatch, type Watch } from '../watch.ts';
import { advance } from './advance.ts';
import { deliver, type StepLaw } from './deliver.ts';

/** Between two looks. */
const LOOK_MS = 300;
/** Of each kind in one look; those beyond come with the next, at once. */
const ROWS_MAX = 100;
/** Until what failed by a bug of ours is tried again. */
const FAILED_RETRY_MS = 30_000;

/** Looks until closed. */
export function startDepartmentWatch(prisma: PrismaClient, law: StepLaw, logger: Logger): Watch {
  const look = async (signal: AbortSignal) => {
    const delivered = await lookAtDeliveries(prisma, law, logger, signal);
    const advanced = await lookAtProgress(prisma, law, logger, signal);
    return Math.max(delivered, advanced) === ROWS_MAX;
  };
  return startWatch({ name: 'departments', everyMs: LOOK_MS, look, logger });
}

/** @returns how many were due */
async function lookAtDeliveries(
  prisma: PrismaClient,
  law: StepLaw,
  logger: Logger,
  signal: AbortSignal,
): Promise<number> {
  const due = await prisma.delivery.findMany({
    where: { nextAt: { lte: new Date() } },
    orderBy: { nextAt: 'asc' },
    take: ROWS_MAX,
  });
  for (const { commandId } of due) {
    if (signal.aborted) break;
    try {
      await deliver(prisma, commandId, law);
    } catch (err) {
      if (isStoreAway(err)) throw err;
      logger.error({ err, command: commandId }, 'what became of a dispatch could not be kept; tried again');
      const nextAt = new Date(Date.now() + FAILED_RETRY_MS);
      await prisma.delivery.updateMany({ where: { commandId, nextAt: { not: null } }, data: { nextAt } });
    }
  }
  return due.length;
}

/** In the order of the telling. @returns how many were due */
async function lookAtProgress(
  prisma: PrismaClient,
  law: StepLaw,
  logger: Logger,
  signal: AbortSignal,
): Promise<number> {
  const now = new Date();
  const due = await prisma.progress.findMany({
    where: { nextAt: { lte: now } },
    orderBy: { sequence: 'asc' },
    take: ROWS_MAX,
  });
  for (const progress of due) {
    if (signal.aborted) break;
    if ((await advance({ prisma, ...law, signal }, progress, now)) !== 'NEVER') continue;
    const { system, kind, number, state, eventId } = progress;
    logger.warn({ system, kind, number, state, event: eventId }, 'what a department told could not be done');
  }
  return due.length;
}
