// Forgets what the registry need not keep: old use, answered requests, leases that ran out, graphs that nobody goes back to.
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import type { PrismaClient } from './generated/client.ts';
import { DAY_MS } from './read-usage.ts';

const TRIM_EVERY_MS = 600_000;

export interface TrimLimits {
  readonly usageDaysMax: number;
  readonly systemUseDaysMax: number;
  readonly requestDaysMax: number;
  readonly checkDaysMax: number;
  readonly leaseDaysMax: number;
  /** Publications, from the latest on, whose graphs are kept to go back to. */
  readonly graphsMax: number;
}

export const TRIM_LIMITS: TrimLimits = Object.freeze({
  usageDaysMax: 90,
  systemUseDaysMax: 1,
  requestDaysMax: 7,
  checkDaysMax: 90,
  leaseDaysMax: 1,
  graphsMax: 500,
});

/** Runs until closed. */
export function startTrimming(prisma: PrismaClient, logger: Logger): { close(): Promise<void> } {
  const stop = new AbortController();
  const ended = trimUntil(prisma, logger, stop.signal);
  return {
    close: async () => {
      stop.abort();
      await ended;
    },
  };
}

async function trimUntil(prisma: PrismaClient, logger: Logger, signal: AbortSignal): Promise<void> {
  for (;;) {
    // Closing ends the wait.
    await delay(TRIM_EVERY_MS, signal, true).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await trimRegistry(prisma);
    } catch (err) {
      logger.warn({ err }, 'the registry could not be trimmed; trying again at the next turn');
    }
  }
}

/** Once. Versions, publications and the history stay. */
export async function trimRegistry(prisma: PrismaClient, limits: TrimLimits = TRIM_LIMITS): Promise<void> {
  const before = (days: number) => new Date(Date.now() - days * DAY_MS);
  await prisma.operationUse.deleteMany({ where: { day: { lt: before(limits.usageDaysMax) } } });
  await prisma.operation.deleteMany({
    where: { uses: { none: {} }, firstSeen: { lt: before(limits.systemUseDaysMax) } },
  });
  await prisma.systemUse.deleteMany({ where: { minute: { lt: before(limits.systemUseDaysMax) } } });
  await prisma.usageReport.deleteMany({ where: { receivedAt: { lt: before(limits.systemUseDaysMax) } } });
  await prisma.request.deleteMany({ where: { at: { lt: before(limits.requestDaysMax) } } });
  await prisma.check.deleteMany({ where: { at: { lt: before(limits.checkDaysMax) } } });
  await prisma.lease.deleteMany({ where: { expiresAt: { lt: before(limits.leaseDaysMax) } } });
  await trimGraphs(prisma, limits.graphsMax);
}

/** A publication that the latest ones equal keeps its graph with them. */
async function trimGraphs(prisma: PrismaClient, graphsMax: number): Promise<void> {
  const { _max } = await prisma.publication.aggregate({ _max: { number: true } });
  const oldest = (_max.number ?? 0) - graphsMax;
  if (oldest <= 0) return;
  await prisma.graph.deleteMany({ where: { publication: { lte: oldest } } });
  await prisma.payload.deleteMany({ where: { graphs: { none: {} } } });
}
