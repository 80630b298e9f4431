// How long and how much is kept: by the relay, on PostgreSQL alone and with a live engine.
import { createLogger } from '@weft/core/logger';
import { type EventLog, type LogEvent, type LogGap, START } from '@weft/events/event-log';
import { openEventLog, openLiveEngine } from '@weft/events/open';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import { openPool } from '@weft/events/postgres/pool';
import { startRelay } from '@weft/events/relay/relay';
import { parseRetention } from '@weft/events/relay/retention';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventServer, startNats, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { waitFor } from '../support/wait.ts';
import { idsOf, makeEvent, readEntries } from './event-log-suite.ts';
import { createTestDatabase, startTestRelay, type TestDatabase } from './log-under-test.ts';

const logger = createLogger('test', 'silent');
const RETENTION_INTERVAL_MS = 100;

/** Its text alone is a thousand bytes; the whole envelope less than 1,300. */
const KILOBYTE = { text: 'x'.repeat(1_000) };

async function append(url: string, topic: string, ids: readonly string[], data = {}) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const id of ids) {
    await client.query('BEGIN');
    await postgresAppender.append(fromPgClient(client), topic, [makeEvent(`${topic}-${id}`, data)]);
    await client.query('COMMIT');
  }
  await client.end();
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

/** A gap, and the last `count` of ten events. */
async function expectKept(log: EventLog, topic: string, count: number) {
  const kept = numbered(10)
    .slice(10 - count)
    .map((id) => `${topic}-${id}`);
  const entries = await waitFor('what is too much to go', async () => {
    const read: (LogEvent | LogGap)[] = await readEntries(log, topic, START, Math.min(10, count + 1));
    return read[0]?.kind === 'gap' && read;
  });
  expect(idsOf(entries)).toEqual(['gap', ...kept]);
}

describe('retention', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  it('is told for all topics, and for some by name', () => {
    const retentionOf = parseRetention('30d, 10GB; incident=90d,20MB;system=5KB; quiet=12h');
    expect(retentionOf('other')).toEqual({ olderThanMs: 2_592_000_000, bytesMax: 1e10 });
    expect(retentionOf('incident')).toEqual({ olderThanMs: 7_776_000_000, bytesMax: 2e7 });
    expect(retentionOf('system')).toEqual({ bytesMax: 5_000 });
    expect(retentionOf('quiet')).toEqual({ olderThanMs: 43_200_000 });
    for (const wrong of ['30', '30d;x=', '1.5GB', 'forever'])
      expect(() => parseRetention(wrong)).toThrow('WEFT_EVENT_RETENTION');
  });

  it('drops the oldest events of a topic that has too many bytes, counts what comes later too, and leaves others', async () => {
    const log = await openEventLog({ eventLog: 'postgres', databaseUrl: database.url, logger });
    const retentionOf = parseRetention('bytes=5KB');
    await append(database.url, 'others', numbered(10), KILOBYTE);
    const relay = startRelay({
      databaseUrl: database.url,
      retentionOf,
      logger,
      retentionIntervalMs: RETENTION_INTERVAL_MS,
    });
    try {
      await append(database.url, 'bytes', numbered(4), KILOBYTE);
      await append(database.url, 'bytes', numbered(10).slice(4), KILOBYTE);
      const bytes = async () => {
        const pool = openPool(database.url, logger);
        const { rows } = await pool.query(
          `SELECT count(*)::int AS events, sum(octet_length(envelope::text))::int AS bytes,
                  (SELECT bytes::int FROM events.retention WHERE topic = 'bytes') AS counted
           FROM events.event WHERE topic = 'bytes'`,
        );
        await pool.end();
        return rows[0];
      };
      await waitFor('four to be left', async () => (await bytes())?.events === 4);
      const left = await bytes();
      expect(left?.counted).toBe(left?.bytes);
      expect(left?.bytes).toBeLessThanOrEqual(5_000);
      await expectKept(log, 'bytes', 4);
      expect(await readEntries(log, 'others', START, 10)).toHaveLength(10);
    } finally {
      await relay.close();
      await log.close();
    }
  });

  it('drops what is too old', async () => {
    const log = await openEventLog({ eventLog: 'postgres', databaseUrl: database.url, logger });
    await append(database.url, 'old', numbered(10));
    const pool = openPool(database.url, logger);
    await pool.query(
      `UPDATE events.event SET appended_at = now() - interval '2 hours' WHERE topic = 'old' AND id < 'old-7'`,
    );
    await pool.end();
    const relay = startRelay({
      databaseUrl: database.url,
      retentionOf: parseRetention('old=1h'),
      logger,
      retentionIntervalMs: RETENTION_INTERVAL_MS,
    });
    try {
      await expectKept(log, 'old', 3);
    } finally {
      await relay.close();
      await log.close();
    }
  });
});

describe.each([
  { name: 'Redis', missing: whyNoProgram('redis-server'), start: startRedis },
  { name: 'NATS JetStream', missing: whyNoProgram('nats-server'), start: startNats },
])('retention on $name', ({ missing, start }) => {
  let server: EventServer;
  let database: TestDatabase;
  beforeAll(async () => {
    if (missing !== undefined) return;
    server = await start();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database?.drop();
    await server?.stop();
  });

  it.skipIf(missing)(
    'frees the engine too, of all events when none is kept, and tells the same gaps',
    async () => {
      const { url: databaseUrl } = database;
      const log = await openEventLog({ eventLog: server.url, databaseUrl, logger });
      const pool = openPool(databaseUrl, logger);
      const engine = await openLiveEngine(server.url, pool, logger);
      await engine.check();
      const relay = await startTestRelay({
        databaseUrl,
        eventLog: server.url,
        logger,
        retention: 'bytes=5KB; none=0s',
        retentionIntervalMs: RETENTION_INTERVAL_MS,
      });
      const held = async (topic: string) => {
        const { entries, last } = await engine.readPage(topic, START, 100);
        return { events: entries.filter(({ envelope }) => envelope !== undefined).length, last };
      };
      try {
        await append(databaseUrl, 'bytes', numbered(10), KILOBYTE);
        await append(databaseUrl, 'none', numbered(10));
        await waitFor('the engine to hold four', async () => (await held('bytes')).events === 4);
        await expectKept(log, 'bytes', 4);
        const head = await log.head('none');
        await waitFor('the engine to hold none', async () => {
          const { events, last } = await held('none');
          return events === 0 && last === head;
        });
        expect(await readEntries(log, 'none', START, 1)).toEqual([
          { kind: 'gap', from: START, to: head, reason: 'RETENTION' },
        ]);
        // It knows its place, so that it goes on.
        await append(databaseUrl, 'none', ['next']);
        const [next] = await readEntries(log, 'none', head, 1);
        expect(next?.kind === 'gap' ? 'gap' : next?.event.id).toMatch(/^(gap|none-next)$/);
      } finally {
        await log.close();
        await relay.close();
        await engine.close();
        await pool.end();
      }
    },
  );
});
