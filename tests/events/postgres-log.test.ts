// The PostgreSQL engine: the common laws, and what happens when its server goes away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@weft/core/embedded-postgres';
import { createLogger } from '@weft/core/logger';
import { migrateAll } from '@weft/core/migrate';
import { SEEN_MIN } from '@weft/core/statement-names';
import { START } from '@weft/events/event-log';
import { APPEND_EVENTS_MAX, ENVELOPE_LENGTH_MAX, postgresAppender } from '@weft/events/postgres/appender';
import { openPostgresLog } from '@weft/events/postgres/log';
import { describe, expect, it } from 'vitest';
import { eventLogSuite, idsOf, makeEvent, readEntries } from './event-log-suite.ts';
import { beginTransaction, createTestDatabase, onServer, startPostgresUnderTest } from './log-under-test.ts';
import { severalTopicsSuite } from './several-topics-suite.ts';

const logger = createLogger('test', 'silent');
const DEADLINE_MS = 15_000;

eventLogSuite('PostgreSQL', startPostgresUnderTest);
severalTopicsSuite('PostgreSQL', startPostgresUnderTest);

async function append(url: string, topic: string, ...ids: string[]): Promise<void> {
  const { transaction, commit } = await beginTransaction(url);
  await postgresAppender.append(
    transaction,
    topic,
    ids.map((id) => makeEvent(id)),
  );
  await commit();
}

describe('PostgreSQL event log', () => {
  it('goes on from its position after all of its connections were cut', async () => {
    const database = await createTestDatabase();
    const log = openPostgresLog({ databaseUrl: database.url, logger, pollMs: 100 });
    try {
      const reading = readEntries(log, 'cut', START, 6, 2);
      await append(database.url, 'cut', '1', '2', '3');
      await expect.poll(() => log.head('cut'), { timeout: DEADLINE_MS }).not.toBe(START);
      await onServer(
        database.url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'weft events %' AND datname = current_database()`,
      );
      await append(database.url, 'cut', '4', '5', '6');
      expect(idsOf(await reading)).toEqual(['1', '2', '3', '4', '5', '6']);
    } finally {
      await log.close();
      await database.drop();
    }
  });

  it('has a head that no event committed after a crash of the server lies before', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-events-crash-'));
    let server = await startPostgres({ directory });
    const { url } = server;
    await migrateAll(url, [
      { schema: 'events', directory: join(import.meta.dirname, '../../events/prisma/migrations') },
    ]);
    const log = openPostgresLog({ databaseUrl: url, logger, pollMs: 100 });
    try {
      await append(url, 'crash', 'before');
      // Their transaction numbers leave nothing on disk, and are handed out again after the crash.
      for (let n = 0; n < 5; n++) {
        const { transaction, rollback } = await beginTransaction(url);
        await postgresAppender.append(transaction, 'crash', [makeEvent(`rolled-back-${n}`)]);
        await rollback();
      }
      const head = await log.head('crash');
      process.kill(server.pid, 'SIGKILL');
      await expect.poll(() => server.isRunning(), { timeout: DEADLINE_MS }).toBe(false);
      server = await startPostgres({ directory, port: Number(new URL(url).port) });
      await append(url, 'crash', 'after');
      expect(idsOf(await readEntries(log, 'crash', head, 1))).toEqual(['after']);
    } finally {
      await log.close();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('goes on from its position when the server was stopped and started again, and says STORE_UNAVAILABLE meanwhile', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-events-restart-'));
    let server = await startPostgres({ directory });
    const { url } = server;
    const port = Number(new URL(url).port);
    await migrateAll(url, [
      { schema: 'events', directory: join(import.meta.dirname, '../../events/prisma/migrations') },
    ]);
    const log = openPostgresLog({ databaseUrl: url, logger, pollMs: 100 });
    const stop = new AbortController();
    try {
      const seen: string[] = [];
      const reading = (async () => {
        for await (const batch of log.read('restart', { after: START, signal: stop.signal }))
          seen.push(...idsOf(batch));
      })();
      await append(url, 'restart', '1', '2');
      await expect.poll(() => seen, { timeout: DEADLINE_MS }).toEqual(['1', '2']);
      await server.stop();
      await expect(log.head('restart')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      server = await startPostgres({ directory, port });
      await append(url, 'restart', '3', '4');
      await expect.poll(() => seen, { timeout: DEADLINE_MS }).toEqual(['1', '2', '3', '4']);
      stop.abort();
      await reading;
    } finally {
      stop.abort();
      await log.close();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('finds events by polling when their announcement is lost', async () => {
    const database = await createTestDatabase();
    const log = openPostgresLog({ databaseUrl: database.url, logger, pollMs: 50 });
    try {
      const reading = readEntries(log, 'unannounced', START, 2);
      await append(database.url, 'other', 'x');
      // The same rows as `append` writes, without its pg_notify.
      await onServer(
        database.url,
        `INSERT INTO events.event (topic, source, id, type, subject, time, envelope)
         SELECT 'unannounced', '/s', n::text, 't', 's', now(), json_build_object('id', n::text) FROM generate_series(1, 2) AS n`,
      );
      expect(idsOf(await reading)).toEqual(['1', '2']);
    } finally {
      await log.close();
      await database.drop();
    }
  });

  it('plans the statement that events are appended with once a session', async () => {
    const database = await createTestDatabase();
    const { transaction, commit } = await beginTransaction(database.url);
    try {
      for (let n = 0; n < 2 * SEEN_MIN; n += 1)
        await postgresAppender.append(transaction, 'planned', [makeEvent(`${n}`)]);
      const rows = await transaction.query<{ runs: number }>(
        `SELECT (generic_plans + custom_plans)::int AS runs FROM pg_prepared_statements WHERE statement LIKE '%pg_notify%'`,
        [],
      );
      expect(rows).toEqual([{ runs: expect.any(Number) }]);
      expect(rows[0]?.runs).toBeGreaterThan(1);
    } finally {
      await commit();
      await database.drop();
    }
  });

  it('refuses more events, and longer ones, than its limits name', async () => {
    const transaction = { query: async () => [] };
    const many = Array.from({ length: APPEND_EVENTS_MAX + 1 }, (_, index) => makeEvent(`${index}`));
    await expect(postgresAppender.append(transaction, 't', many)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    const long = makeEvent('long', { text: 'x'.repeat(ENVELOPE_LENGTH_MAX) });
    await expect(postgresAppender.append(transaction, 't', [long])).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });

  it('ends its readers and connections when it is closed', async () => {
    const database = await createTestDatabase();
    const log = openPostgresLog({ databaseUrl: database.url, logger });
    const reading = (async () => {
      for await (const batch of log.read('closed', {
        after: START,
        signal: AbortSignal.timeout(DEADLINE_MS),
      }))
        expect(batch).toEqual([]);
      return 'ended';
    })();
    await log.head('closed');
    await log.close();
    await expect(reading).resolves.toBe('ended');
    await database.drop();
  });
});
