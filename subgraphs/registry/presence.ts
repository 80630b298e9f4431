// Tells the registry that the owned subgraphs of this process are there, and when they go.
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { PrismaClient } from './generated/client.ts';
import { ownedSystemEvent, SYSTEM_TOPIC } from './system-event.ts';

/** How often `lastSeen` is renewed while the process lives: a process that was killed is seen by its age. */
const RENEW_MS = 10_000;

interface Named {
  readonly name: string;
  readonly title: string;
}

export interface Presence {
  /** Tells that they are gone, if the store still answers. */
  close(): Promise<void>;
}

/** Tells that they are UP, and renews `lastSeen` until closed. */
export async function announcePresence(
  prisma: PrismaClient,
  systems: readonly Named[],
  logger: Logger,
  renewMs = RENEW_MS,
): Promise<Presence> {
  const stop = new AbortController();
  await tell(prisma, systems, 'UP', null);
  const ended = renewUntil(prisma, systems, logger, renewMs, stop.signal);
  return {
    close: async () => {
      stop.abort();
      await ended;
      try {
        await tell(prisma, systems, 'DOWN', 'stopped');
      } catch (err) {
        // The store may be gone before us: the age of `lastSeen` then says the same.
        logger.warn({ err }, 'the registry could not be told that the subgraphs stop');
      }
    },
  };
}

async function tell(
  prisma: PrismaClient,
  systems: readonly Named[],
  state: 'UP' | 'DOWN',
  reason: string | null,
): Promise<void> {
  const at = new Date();
  const events = systems.map(({ name, title }) => ownedSystemEvent(name, title, state, reason, at));
  await prisma.$transaction(
    (tx) => postgresAppender.append(fromPrisma(tx), SYSTEM_TOPIC, events),
    TRANSACTION_LIMITS,
  );
}

async function renewUntil(
  prisma: PrismaClient,
  systems: readonly Named[],
  logger: Logger,
  renewMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    // Closing ends the wait.
    await delay(renewMs, signal, true).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await renew(prisma, systems);
    } catch (err) {
      logger.warn({ err }, 'lastSeen could not be renewed; trying again at the next turn');
    }
  }
}

/** Another process of the same subgraphs that stops tells that they are DOWN: those that are left correct it. */
async function renew(prisma: PrismaClient, systems: readonly Named[]): Promise<void> {
  const name = { in: systems.map((system) => system.name) };
  const at = new Date();
  await prisma.system.updateMany({ where: { name }, data: { lastSeen: at, toldAt: at } });
  const up = new Set((await prisma.system.findMany({ where: { name, state: 'UP' } })).map((row) => row.name));
  const wrong = systems.filter((system) => !up.has(system.name));
  if (wrong.length > 0) await tell(prisma, wrong, 'UP', null);
}
