// The relay: while it holds the lease it moves every topic to the live engine, watches what the engine has, and trims.
import { hostname } from 'node:os';
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '../event-log.ts';
import { DISCOVERY_INTERVAL_MS, LEASE_BEAT_MS, RETENTION_INTERVAL_MS, WATCH_INTERVAL_MS } from '../limits.ts';
import type { LiveEngine } from '../live-engine.ts';
import { startListener } from '../postgres/listener.ts';
import { openPostgresLog } from '../postgres/log.ts';
import { openPool, type StorePool } from '../postgres/pool.ts';
import { listTopics } from './acknowledged.ts';
import { listTopicsToRedrive } from './dead-letters.ts';
import { beatLease, type Fence, releaseLease, watchLease } from './lease.ts';
import { enforceRetention, type RetentionOf } from './retention.ts';
import { relayTopic, type TopicRelay } from './topic-relay.ts';

export interface RelayOptions {
  readonly databaseUrl: string;
  /** Undefined when PostgreSQL itself is the engine: then the relay trims, and that is all. It is the caller's to close. */
  readonly engine?: LiveEngine | undefined;
  readonly retentionOf: RetentionOf;
  readonly logger: Logger;
  /** Default 10 s. */
  readonly retentionIntervalMs?: number;
}

export interface Relay {
  /** Whether this one holds the lease. */
  isLeading(): boolean;
  /** Ends what is under way, then gives the lease back. */
  close(): Promise<void>;
}

/** Begins at once and in the background; waits for the lease, for PostgreSQL and for the engine as long as it takes. */
export function startRelay(options: RelayOptions): Relay {
  const { databaseUrl, logger } = options;
  const pool = openPool(databaseUrl, logger, 'weft events relay');
  const outbox = openPostgresLog({ databaseUrl, logger });
  const closing = new AbortController();
  let leading = false;
  const run = async () => {
    const watch = watchLease(pool, `${hostname()} ${process.pid}`);
    while (!closing.signal.aborted) {
      const fence = await attempt(() => watch.tryTake(), logger, 'the lease of the relay cannot be read');
      if (fence === undefined) {
        // An abort ends the pause with a rejection, and the loop with it.
        await delay(LEASE_BEAT_MS, closing.signal).catch(() => undefined);
        continue;
      }
      logger.info({ fence: String(fence) }, 'this relay moves the events');
      leading = true;
      await lead({ ...options, pool, outbox, fence }, closing.signal);
      leading = false;
      await attempt(() => releaseLease(pool, fence), logger, 'the lease of the relay cannot be given back');
    }
  };
  const running = run();
  return {
    isLeading: () => leading,
    async close() {
      closing.abort();
      await running;
      await outbox.close();
      await pool.end();
    },
  };
}

interface Leader extends RelayOptions {
  readonly pool: StorePool;
  readonly outbox: EventLog;
  readonly fence: Fence;
}

/** Runs until the lease is lost or the signal aborts. */
async function lead(leader: Leader, signal: AbortSignal): Promise<void> {
  const { engine, logger, pool } = leader;
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const relays = new Map<string, TopicRelay>();
  const take = (topic: string) => {
    if (engine === undefined || relays.has(topic) || until.aborted) return;
    relays.set(topic, relayTopic({ ...leader, engine }, topic, until));
  };
  const listener = engine && startListener(leader.databaseUrl, logger, take);
  await Promise.all([
    repeat(LEASE_BEAT_MS, until, async () => {
      const isHeld = await attempt(
        () => beatLease(pool, leader.fence),
        logger,
        'the lease of the relay cannot be kept',
      );
      if (isHeld !== false) return;
      logger.warn({ fence: String(leader.fence) }, 'another relay has taken over');
      ended.abort();
    }),
    repeat(DISCOVERY_INTERVAL_MS, until, async () => {
      const topics = await attempt(() => listTopics(pool), logger, 'the topics of the outbox cannot be read');
      for (const topic of topics ?? []) take(topic);
    }),
    repeat(WATCH_INTERVAL_MS, until, () => watchTopics(leader, relays)),
    repeat(leader.retentionIntervalMs ?? RETENTION_INTERVAL_MS, until, () => trimTopics(leader)),
  ]);
  await listener?.close();
  await Promise.all([...relays.values()].map((relay) => relay.ended));
}

/** What does not answer now is asked again by the next round; the topics' own relays say what is wrong. */
async function watchTopics({ pool, engine }: Leader, relays: ReadonlyMap<string, TopicRelay>): Promise<void> {
  if (engine === undefined || !engine.isConnected()) return;
  try {
    for (const topic of await listTopicsToRedrive(pool)) relays.get(topic)?.restart();
    await Promise.all([...relays.values()].map((relay) => relay.check()));
  } catch {
    // Said by the relay of the topic.
  }
}

async function trimTopics({ pool, engine, retentionOf, logger }: Leader): Promise<void> {
  const topics = await attempt(() => listTopics(pool), logger, 'the topics of the outbox cannot be read');
  for (const topic of topics ?? []) {
    const trimmed = await attempt(
      () => enforceRetention(pool, topic, retentionOf(topic), engine),
      logger,
      'a topic cannot be trimmed; it is tried again',
    );
    if (trimmed !== undefined && trimmed > 0)
      logger.info({ topic, trimmed }, 'events are not retained any more');
  }
}

/** Undefined when it fails, which is logged. */
async function attempt<T>(ask: () => Promise<T>, logger: Logger, message: string): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    logger.warn({ err: thrown }, message);
    return undefined;
  }
}

async function repeat(intervalMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work();
    // An abort ends the pause with a rejection, and the loop with it.
    await delay(intervalMs, signal).catch(() => undefined);
  }
}
