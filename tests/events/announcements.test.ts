// Events that come with their announcement (ADR 40): nothing is asked for them, and the order and wholeness of the log are as ever.
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '@weft/core/logger';
import { START } from '@weft/events/event-log';
import { followOn, parseAnnouncement } from '@weft/events/postgres/announcement';
import { fromPgClient, NOTIFY_CHANNEL, postgresAppender } from '@weft/events/postgres/appender';
import { openPostgresLog } from '@weft/events/postgres/log';
import { openPool } from '@weft/events/postgres/pool';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { makeEvent } from './event-log-suite.ts';
import { beginTransaction, createTestDatabase, startServer } from './log-under-test.ts';

const TOPIC = 'announced';
const logger = createLogger('test', process.env.WEFT_TEST_LOG ?? 'silent');
/** No reader is woken but by an announcement. */
const NEVER_MS = 600_000;

describe('an announcement', () => {
  const envelope = JSON.stringify({ ...makeEvent('1'), data: { text: 'two\nlines 3.4 5.6\n' } });

  it('is a topic, or a topic with an event between two positions', () => {
    expect(parseAnnouncement('incident')).toEqual({ topic: 'incident' });
    expect(parseAnnouncement(`事件 1\n12.3 45.6\n${envelope}`)).toEqual({
      topic: '事件 1',
      told: { previous: '12.3', position: '45.6', envelope },
    });
  });

  it('is followed where it names what was read last, and left to reading elsewhere', () => {
    const told = (previous: string, position: string) => ({ previous, position, envelope });
    const chain = [told('1.1', '2.2'), told('2.2', '10.3')];
    const positions = (after: string, max = 10, from = chain) =>
      followOn(from, after, max)?.map(({ position }) => position);
    expect(positions('1.1')).toEqual(['2.2', '10.3']);
    expect(positions('2.2')).toEqual(['10.3']);
    expect(positions('10.3')).toEqual([]);
    expect(positions('1.0')).toBeUndefined();
    expect(positions('2.1')).toBeUndefined();
    expect(positions('1.1', 1)).toBeUndefined();
    expect(positions('1.1', 10, [told('1.1', '2.2'), told('3.3', '4.4')])).toBeUndefined();
    expect(followOn(chain, '2.2', 10)?.[0]).toMatchObject({
      kind: 'event',
      chars: envelope.length,
      event: { id: '1' },
    });
  });
});

interface Reader {
  readonly ids: string[];
  stop(): Promise<void>;
}

function startReader(databaseUrl: string): Reader {
  const log = openPostgresLog({ databaseUrl, logger, pollMs: NEVER_MS });
  const stop = new AbortController();
  const ids: string[] = [];
  const reading = (async () => {
    for await (const entries of log.read(TOPIC, { after: START, signal: stop.signal }))
      ids.push(...entries.map((entry) => (entry.kind === 'event' ? entry.event.id : 'gap')));
  })();
  return {
    ids,
    async stop() {
      stop.abort();
      await reading;
      await log.close();
    },
  };
}

/** What is announced, counted: with the event, and without. */
async function startCounting(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const counts = { told: 0, untold: 0 };
  client.on('notification', ({ payload = '' }) => {
    counts[parseAnnouncement(payload).told === undefined ? 'untold' : 'told'] += 1;
  });
  await client.query(`LISTEN ${NOTIFY_CHANNEL}`);
  return { counts, close: () => client.end() };
}

async function append(databaseUrl: string, ...ids: string[]): Promise<void> {
  const { transaction, commit } = await beginTransaction(databaseUrl);
  await postgresAppender.append(
    transaction,
    TOPIC,
    ids.map((id) => makeEvent(id)),
  );
  await commit();
}

describe('a reader of the PostgreSQL log', () => {
  // What is told depends on who else writes on the server.
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());

  it('asks nothing for an event that came with its announcement, and reads what came without', async () => {
    const database = await createTestDatabase(server);
    const pool = openPool(database.url, logger, 'weft test');
    const { counts, close } = await startCounting(database.url);
    const reader = startReader(database.url);
    const lastAsked = async () => {
      const { rows } = await pool.query<{ at: string }>(
        `SELECT max(query_start)::text AS at FROM pg_stat_activity
         WHERE application_name = 'weft events reader' AND datname = current_database()`,
      );
      return rows[0]?.at;
    };
    try {
      // The first of a topic has none before it.
      await append(database.url, '0');
      await waitFor('the first event', () => reader.ids.length === 1);
      const before = await lastAsked();
      for (let n = 1; n <= 20; n += 1) await append(database.url, `${n}`);
      await waitFor('twenty events', () => reader.ids.length === 21);
      expect(await lastAsked()).toBe(before);
      await append(database.url, '21', '22');
      await waitFor('two that came at once', () => reader.ids.length === 23);
      expect(await lastAsked()).not.toBe(before);
      const long = await beginTransaction(database.url);
      await postgresAppender.append(long.transaction, TOPIC, [makeEvent('23', { text: '长'.repeat(3_000) })]);
      await long.commit();
      await waitFor('one that is too long to be announced', () => reader.ids.length === 24);
      await append(database.url, '24');
      await waitFor('the next', () => reader.ids.length === 25);
      expect(reader.ids).toEqual(Array.from({ length: 25 }, (_, n) => `${n}`));
      expect(counts).toEqual({ told: 21, untold: 3 });
    } finally {
      await reader.stop();
      await close();
      await pool.end();
      await database.drop();
    }
  });

  it('has an event of a transaction that began earlier before one that was committed earlier', async () => {
    const database = await createTestDatabase(server);
    const reader = startReader(database.url);
    try {
      await append(database.url, 'first');
      await waitFor('the first event', () => reader.ids.length === 1);
      const earlier = await beginTransaction(database.url);
      await earlier.transaction.query('SELECT pg_current_xact_id()', []);
      await append(database.url, 'later');
      // Told with the event before it, since nothing older is open: but the other is there already.
      await postgresAppender.append(earlier.transaction, TOPIC, [makeEvent('earlier')]);
      await sleep(100);
      expect(reader.ids).toEqual(['first']);
      await earlier.commit();
      await waitFor('both', () => reader.ids.length === 3);
      expect(reader.ids).toEqual(['first', 'earlier', 'later']);
    } finally {
      await reader.stop();
      await database.drop();
    }
  });

  it('follows writers that are alone at times and overlap at others, whatever their transactions do', async () => {
    const database = await createTestDatabase(server);
    const { counts, close } = await startCounting(database.url);
    const readers = [startReader(database.url), startReader(database.url)];
    const pool = openPool(database.url, logger);
    try {
      await Promise.all(Array.from({ length: 3 }, (_, number) => write(database.url, number, 150)));
      const { rows } = await pool.query<{ id: string }>('SELECT id FROM events.event ORDER BY tx, seq');
      const outbox = rows.map(({ id }) => id);
      for (const { ids } of readers) {
        await waitFor('everything to be read', () => ids.length >= outbox.length);
        expect(ids).toEqual(outbox);
      }
      expect(counts.told).toBeGreaterThan(50);
      expect(counts.untold).toBeGreaterThan(50);
    } finally {
      for (const reader of readers) await reader.stop();
      await close();
      await pool.end();
      await database.drop();
    }
  });
});

/** Transactions of all kinds: with a number taken early, several appends, a savepoint undone, an event told twice, rolled back. */
async function write(url: string, writer: number, transactions: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const transaction = fromPgClient(client);
  const add = (...ids: string[]) =>
    postgresAppender.append(
      transaction,
      TOPIC,
      ids.map((id) => makeEvent(id)),
    );
  const isSo = (share: number) => Math.random() < share;
  for (let round = 0; round < transactions; round += 1) {
    const id = `${writer}-${round}`;
    await client.query('BEGIN');
    if (isSo(0.3)) await client.query('SELECT pg_current_xact_id()');
    if (isSo(0.2)) await sleep(Math.random() * 10);
    if (isSo(0.2)) {
      await client.query('SAVEPOINT undone');
      await add(`${id}-undone`);
      await client.query('ROLLBACK TO SAVEPOINT undone');
    }
    await add(`${id}-a`);
    if (isSo(0.2)) await add(`${id}-a`, `${id}-b`);
    if (isSo(0.2)) await add(`${id}-c`);
    if (isSo(0.2)) await sleep(Math.random() * 10);
    await client.query(isSo(0.1) ? 'ROLLBACK' : 'COMMIT');
    if (isSo(0.5)) await sleep(Math.random() * 30);
  }
  await client.end();
}
