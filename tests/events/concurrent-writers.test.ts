// Many writers whose transactions last and overlap, and readers that must not notice: on each engine.
// Short by default; WEFT_TEST_WHOLE=1 runs 50,000 events in transactions of 0 to 500 ms.
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '@weft/core/logger';
import { type EventLog, START } from '@weft/events/event-log';
import type { LiveEngine } from '@weft/events/live-engine';
import { openEventLog, openLiveEngine } from '@weft/events/open';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import { openPool } from '@weft/events/postgres/pool';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { startNats, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { waitFor } from '../support/wait.ts';
import { makeEvent } from './event-log-suite.ts';
import { createTestDatabase, startTestRelay } from './log-under-test.ts';

const isWhole = process.env.WEFT_TEST_WHOLE === '1';
const WRITERS = isWhole ? 64 : 32;
const EVENTS = isWhole ? 50_000 : 3_000;
const TRANSACTION_MS_MAX = isWhole ? 500 : 100;
const EVENTS_A_TRANSACTION_MAX = 6;
const ROLLED_BACK_SHARE = 0.1;
const TEST_MS_MAX = isWhole ? 600_000 : 120_000;
const TOPIC = 'concurrent';
const logger = createLogger('test', process.env.WEFT_TEST_LOG ?? 'silent');

const ENGINES = [
  { name: 'PostgreSQL', missing: undefined, start: async () => undefined },
  { name: 'Redis Streams', missing: whyNoProgram('redis-server'), start: startRedis },
  { name: 'NATS JetStream', missing: whyNoProgram('nats-server'), start: startNats },
] as const;

describe.each(ENGINES)('concurrent writers on $name', ({ missing, start, name }) => {
  it.skipIf(missing)(
    'give a reader that follows live and one that reads afterwards the same sequence, none missing',
    { timeout: TEST_MS_MAX },
    async () => {
      const server = await start();
      const database = await createTestDatabase();
      const eventLog = server?.url ?? 'postgres';
      const relay = server && (await startTestRelay({ databaseUrl: database.url, eventLog, logger }));
      const log = await openEventLog({ eventLog, databaseUrl: database.url, logger });
      const pool = openPool(database.url, logger);
      const engine = server && (await openLiveEngine(server.url, pool, logger));
      try {
        const startedAt = performance.now();
        const live = readIds(log, EVENTS);
        const committed = await write(database.url);
        const followed = await live;
        const tookMs = performance.now() - startedAt;
        const { rows } = await pool.query<{ id: string }>('SELECT id FROM events.event ORDER BY tx, seq');
        const outbox = rows.map(({ id }) => id);
        expect(new Set(committed)).toEqual(new Set(outbox));
        expect(followed).toEqual(outbox);
        expect(await readIds(log, EVENTS)).toEqual(outbox);
        if (engine !== undefined) expect(await chainOf(engine, EVENTS)).toEqual(outbox);
        if (isWhole)
          console.info(
            `${name}: ${EVENTS} events by ${WRITERS} writers, followed in ${tookMs.toFixed(0)} ms`,
          );
      } finally {
        await log.close();
        await relay?.close();
        await engine?.close();
        await pool.end();
        await database.drop();
        await server?.stop();
      }
    },
  );
});

async function write(url: string): Promise<readonly string[]> {
  const committed: string[] = [];
  let begun = 0;
  const writer = async (number: number) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (let round = 0; begun < EVENTS; round++) {
      const isRolledBack = Math.random() < ROLLED_BACK_SHARE;
      const count = Math.min(1 + Math.floor(Math.random() * EVENTS_A_TRANSACTION_MAX), EVENTS - begun);
      if (!isRolledBack) begun += count;
      const ids = Array.from({ length: count }, (_, index) => `${number}-${round}-${index}`);
      await client.query('BEGIN');
      await postgresAppender.append(
        fromPgClient(client),
        TOPIC,
        ids.map((id) => makeEvent(id)),
      );
      await sleep(Math.random() * TRANSACTION_MS_MAX);
      await client.query(isRolledBack ? 'ROLLBACK' : 'COMMIT');
      if (!isRolledBack) committed.push(...ids);
    }
    await client.end();
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)));
  return committed;
}

async function readIds(log: EventLog, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const batch of log.read(TOPIC, { after: START, signal: AbortSignal.timeout(TEST_MS_MAX) })) {
    for (const entry of batch) ids.push(entry.kind === 'event' ? entry.event.id : `gap to ${entry.to}`);
    if (ids.length >= count) break;
  }
  return ids;
}

/** What the engine alone has, each entry naming the one before it. */
async function chainOf(engine: LiveEngine, count: number): Promise<readonly string[]> {
  await engine.check();
  const ids: string[] = [];
  let after = START;
  await waitFor(
    'the engine to have everything',
    async () => {
      const { entries } = await engine.readPage(TOPIC, after, 500);
      for (const { previous, position, envelope } of entries) {
        if (envelope === undefined) continue;
        expect(previous).toBe(after);
        after = position;
        ids.push(JSON.parse(envelope).id);
      }
      return ids.length >= count;
    },
    60_000,
  );
  return ids;
}
