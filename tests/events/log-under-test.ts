// A PostgreSQL database of its own with the log's tables, on the local server or, where there is none, on one started for it.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@weft/core/embedded-postgres';
import { createLogger, type Logger } from '@weft/core/logger';
import { migrateAll } from '@weft/core/migrate';
import type { EventLog, SqlTransaction } from '@weft/events/event-log';
import { openEventLog, openLiveEngine } from '@weft/events/open';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import { openPostgresLog } from '@weft/events/postgres/log';
import { openPool } from '@weft/events/postgres/pool';
import { type Relay, startRelay } from '@weft/events/relay/relay';
import { parseRetention } from '@weft/events/relay/retention';
import pg from 'pg';
import type { LogUnderTest } from './event-log-suite.ts';

const LOCAL_SERVER = 'postgresql://postgres@127.0.0.1:5432/postgres';
const MIGRATIONS = join(import.meta.dirname, '../../events/prisma/migrations');

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A PostgreSQL that is started for it. */
interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A migrated database that nobody else uses. @param given where: one that the caller stops */
export async function createTestDatabase(given?: TestServer): Promise<TestDatabase> {
  const server = given === undefined ? await findServer() : { url: given.url, stop: async () => undefined };
  const name = `weft_events_${randomBytes(6).toString('hex')}`;
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  await migrateAll(url.href, [{ schema: 'events', directory: MIGRATIONS }]);
  return {
    url: url.href,
    async drop() {
      await onServer(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await server.stop();
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // The statement may end this very connection.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function findServer(): Promise<TestServer> {
  try {
    await onServer(LOCAL_SERVER, 'SELECT 1');
    return { url: LOCAL_SERVER, stop: async () => undefined };
  } catch {
    // No local server: the embedded one gives the same tests something real to run on.
    return await startServer();
  }
}

/** A server without other people's transactions, each of which holds back what is written after it. */
export async function startServer(): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-events-'));
  const own = await startPostgres({ directory });
  return {
    url: own.url,
    async stop() {
      await own.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The PostgreSQL engine as the suite wants it. */
export async function startPostgresUnderTest(): Promise<LogUnderTest> {
  const database = await createTestDatabase();
  const log: EventLog = openPostgresLog({
    databaseUrl: database.url,
    logger: createLogger('test', 'silent'),
  });
  return {
    log,
    appender: postgresAppender,
    begin: () => beginTransaction(database.url),
    async close() {
      await log.close();
      await database.drop();
    },
  };
}

/** A relay as the process `events` runs it, in this process. */
export async function startTestRelay(options: {
  readonly databaseUrl: string;
  readonly eventLog: string;
  readonly logger: Logger;
  readonly retention?: string;
  readonly retentionIntervalMs?: number;
}): Promise<Relay> {
  const { databaseUrl, eventLog, logger, retentionIntervalMs } = options;
  const pool = openPool(databaseUrl, logger);
  const engine = await openLiveEngine(eventLog, pool, logger);
  await engine.check();
  const relay = startRelay({
    databaseUrl,
    engine,
    logger,
    retentionOf: parseRetention(options.retention ?? ''),
    ...(retentionIntervalMs === undefined ? {} : { retentionIntervalMs }),
  });
  return {
    isLeading: relay.isLeading,
    async close() {
      await relay.close();
      await engine.close();
      await pool.end();
    },
  };
}

/** An engine behind the outbox, with its relay, on a server that the caller stops. */
export async function startRelayedUnderTest(eventLog: string): Promise<LogUnderTest> {
  const database = await createTestDatabase();
  const logger = createLogger('test', process.env.WEFT_TEST_LOG ?? 'silent');
  const relay = await startTestRelay({ databaseUrl: database.url, eventLog, logger });
  const log = await openEventLog({ eventLog, databaseUrl: database.url, logger });
  return {
    log,
    appender: postgresAppender,
    begin: () => beginTransaction(database.url),
    async close() {
      await log.close();
      await relay.close();
      await database.drop();
    },
  };
}

export interface OpenTransaction {
  readonly transaction: SqlTransaction;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** A transaction on a connection of its own. */
export async function beginTransaction(url: string): Promise<OpenTransaction> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN');
  const end = async (sql: string) => {
    await client.query(sql);
    await client.end();
  };
  return { transaction: fromPgClient(client), commit: () => end('COMMIT'), rollback: () => end('ROLLBACK') };
}
