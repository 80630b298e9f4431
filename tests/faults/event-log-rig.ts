// A log on a live engine with a server, a relay and a reader of its own, and what the fault tests ask of them.
import { createLogger } from '@weft/core/logger';
import { type EventLog, type Position, START } from '@weft/events/event-log';
import type { LiveEngine } from '@weft/events/live-engine';
import { openEventLog, openLiveEngine } from '@weft/events/open';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import { openPool, type StorePool } from '@weft/events/postgres/pool';
import type { Relay } from '@weft/events/relay/relay';
import pg from 'pg';
import { expect } from 'vitest';
import { makeEvent } from '../events/event-log-suite.ts';
import { createTestDatabase, startTestRelay } from '../events/log-under-test.ts';
import { waitFor } from '../support/wait.ts';

export const TOPIC = 'faults';
/** Long waits of the fault matrix are shortened unless WEFT_TEST_WHOLE is 1. */
export const isWhole = process.env.WEFT_TEST_WHOLE === '1';
const logger = createLogger('test', process.env.WEFT_TEST_LOG ?? 'silent');

export interface Follower {
  /** Ids of events, and `gap` for a gap, in the order in which they came. */
  readonly ids: readonly string[];
  readonly lastAtMs: number;
  until(count: number, msMax?: number): Promise<void>;
  stop(): Promise<void>;
}

export interface EventLogRig {
  readonly databaseUrl: string;
  readonly log: EventLog;
  /** The engine alone, without the outbox. */
  readonly engine: LiveEngine;
  readonly pool: StorePool;
  readonly relay: Relay | undefined;
  /** Appends `count` events in transactions of up to `batch`, with ids that go on counting from 0. */
  append(count: number, options?: { readonly batch?: number; readonly characters?: number }): Promise<void>;
  appended(): number;
  follow(after?: Position): Follower;
  /** Waits until the engine alone has every event, then sees that they are all there once, in order, each naming the one before. */
  expectWholeEngine(msMax?: number): Promise<void>;
  close(): Promise<void>;
}

export interface RigOptions {
  /** Of the engine, as the relay sees it. */
  readonly relayUrl?: string;
  /** Of the engine, as the reader sees it. */
  readonly readerUrl?: string;
  /** Of a migrated database; default: one of its own on the shared server. */
  readonly databaseUrl?: string;
  readonly relayDatabaseUrl?: string;
  readonly readerDatabaseUrl?: string;
  /** The relay is started by the test. */
  readonly withoutRelay?: boolean;
  readonly retention?: string;
}

/** @param engineUrl of a server that the caller stops */
export async function startEventLogRig(engineUrl: string, options: RigOptions = {}): Promise<EventLogRig> {
  const database = options.databaseUrl === undefined ? await createTestDatabase() : undefined;
  const databaseUrl = options.databaseUrl ?? database?.url ?? '';
  const relay =
    options.withoutRelay === true
      ? undefined
      : await startTestRelay({
          databaseUrl: options.relayDatabaseUrl ?? databaseUrl,
          eventLog: options.relayUrl ?? engineUrl,
          logger,
          retentionIntervalMs: 200,
          ...(options.retention === undefined ? {} : { retention: options.retention }),
        });
  const log = await openEventLog({
    eventLog: options.readerUrl ?? engineUrl,
    databaseUrl: options.readerDatabaseUrl ?? databaseUrl,
    logger,
  });
  const pool = openPool(databaseUrl, logger);
  const engine = await openLiveEngine(engineUrl, pool, logger);
  await engine.check();
  const followers: Follower[] = [];
  let appended = 0;
  return {
    databaseUrl,
    log,
    engine,
    pool,
    relay,
    async append(count, given = {}) {
      await appendTo(databaseUrl, appended, count, given.batch ?? 1, given.characters ?? 0);
      appended += count;
    },
    appended: () => appended,
    follow(after = START) {
      const follower = follow(log, after);
      followers.push(follower);
      return follower;
    },
    expectWholeEngine: (msMax = 30_000) => expectWhole(engine, appended, msMax),
    async close() {
      for (const follower of followers) await follower.stop();
      await log.close();
      await relay?.close();
      await engine.close();
      await pool.end();
      await database?.drop();
    },
  };
}

export const idsUpTo = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

async function appendTo(url: string, first: number, count: number, batch: number, characters: number) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (let from = first; from < first + count; from += batch) {
      const size = Math.min(batch, first + count - from);
      const ids = Array.from({ length: size }, (_, index) => `${from + index}`);
      await client.query('BEGIN');
      await postgresAppender.append(
        fromPgClient(client),
        TOPIC,
        ids.map((id) => makeEvent(id, characters === 0 ? {} : { text: 'x'.repeat(characters) })),
      );
      await client.query('COMMIT');
    }
  } finally {
    await client.end();
  }
}

function follow(log: EventLog, after: Position): Follower {
  const ids: string[] = [];
  const stop = new AbortController();
  let lastAtMs = 0;
  const reading = (async () => {
    for await (const batch of log.read(TOPIC, { after, signal: stop.signal })) {
      lastAtMs = performance.now();
      ids.push(...batch.map((entry) => (entry.kind === 'event' ? entry.event.id : 'gap')));
    }
  })();
  return {
    ids,
    get lastAtMs() {
      return lastAtMs;
    },
    until: async (count, msMax = 30_000) => {
      await waitFor(`${count} events at the reader`, () => ids.length >= count || fail(ids), msMax);
    },
    async stop() {
      stop.abort();
      await reading;
    },
  };
}

function fail(ids: readonly string[]): false {
  // A double or a leap shows at once: there is no use in waiting.
  const wrong = ids.findIndex((id, index) => id !== 'gap' && Number(id) < index - 1);
  expect(wrong, `doubled: ${ids.slice(Math.max(0, wrong - 3), wrong + 3)}`).toBe(-1);
  return false;
}

async function expectWhole(engine: LiveEngine, count: number, msMax: number): Promise<void> {
  const read = async () => {
    const ids: string[] = [];
    let after = START;
    for (;;) {
      const { entries } = await engine.readPage(TOPIC, after, 200);
      if (entries.length === 0) return ids;
      for (const { position, previous, envelope } of entries) {
        if (envelope !== undefined && previous !== after) return ids;
        after = position;
        if (envelope !== undefined) ids.push(JSON.parse(envelope).id);
      }
    }
  };
  const ids = await waitFor(
    'the engine to be whole',
    async () => {
      const found = await read();
      return found.length >= count && found;
    },
    msMax,
  );
  expect(ids).toEqual(idsUpTo(count));
}
