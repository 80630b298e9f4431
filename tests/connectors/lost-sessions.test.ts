import { randomUUID } from 'node:crypto';
import { openStore } from '@weft/connectors/ingest/store';
import { openMysql } from '@weft/connectors/sql/mysql-engine';
import { openPostgres } from '@weft/connectors/sql/postgres-engine';
import { createLogger } from '@weft/core/logger';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createMariadbDatabase,
  POSTGRES_URL,
  type TestDatabase,
  whyNoMariadb,
  whyNoPostgres,
} from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { startTcpGate, type TcpGate } from './tcp-gate.ts';

const noPostgres = await whyNoPostgres();
const noMariadb = await whyNoMariadb();
for (const reason of [noPostgres, noMariadb]) {
  if (reason !== undefined) console.warn(`lost sessions are not all tested: ${reason}`);
}

const logger = createLogger('lost-sessions-test', 'silent');
const limits = { connectionsMax: 1, timeoutMs: 5_000 };
const never = new AbortController().signal;

let gate: TcpGate | undefined;
let database: TestDatabase | undefined;
/** What would have ended the process. */
let fatal: unknown[];
const watch = (error: unknown) => fatal.push(error);

beforeEach(() => {
  fatal = [];
  process.on('uncaughtExceptionMonitor', watch);
});
afterEach(async () => {
  process.off('uncaughtExceptionMonitor', watch);
  await gate?.close();
  await database?.drop();
  [gate, database] = [undefined, undefined];
});

/** The database's URL through a gate that can be shut. */
async function throughGate(url: string, defaultPort: number): Promise<string> {
  const through = new URL(url);
  gate = await startTcpGate(through.hostname, Number(through.port || defaultPort));
  through.host = `127.0.0.1:${gate.port}`;
  return through.href;
}

/** The sessions break while the work runs; afterwards the database is there again. */
async function breakDuring(work: Promise<unknown>, isRunning: () => Promise<boolean>): Promise<unknown> {
  const failure = work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await waitFor('the statement to run', isRunning, 3_000);
  gate?.shut();
  const thrown = await failure;
  gate?.open();
  return thrown;
}

describe.skipIf(noPostgres !== undefined)('a session to PostgreSQL that breaks while it works', () => {
  const sql = `SELECT pg_sleep(4) AS "${randomUUID()}"`;

  async function isRunning(): Promise<boolean> {
    const client = new pg.Client({ connectionString: POSTGRES_URL });
    await client.connect();
    const { rows } = await client.query('SELECT 1 FROM pg_stat_activity WHERE query = $1', [sql]);
    await client.end();
    return rows.length > 0;
  }

  it('fails the transaction of the connectors as STORE_UNAVAILABLE and ends nothing else', async () => {
    const store = openStore(await throughGate(POSTGRES_URL, 5432), logger);
    const run = (statement: string) => store.transaction((transaction) => transaction.query(statement, []));
    expect(await breakDuring(run(sql), isRunning)).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await run('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(fatal).toEqual([]);
    await store.close();
  });

  it('fails the statement of a source and ends nothing else', async () => {
    const engine = openPostgres(await throughGate(POSTGRES_URL, 5432), limits);
    expect(await breakDuring(engine.query(sql, [], never), isRunning)).toBeInstanceOf(Error);
    expect(await engine.query('SELECT 1 AS one', [], never)).toEqual([{ one: 1 }]);
    expect(fatal).toEqual([]);
    await engine.close();
  });
});

describe.skipIf(noMariadb !== undefined)('a session to MariaDB that breaks while it works', () => {
  it('fails the statement of a source and ends nothing else', async () => {
    database = await createMariadbDatabase();
    const { url } = database;
    const sql = `SELECT sleep(4) AS \`${randomUUID()}\``;
    const isRunning = async () => {
      const connection = await mysql.createConnection({ uri: url });
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        'SELECT 1 FROM information_schema.processlist WHERE info = ?',
        [sql],
      );
      await connection.end();
      return rows.length > 0;
    };
    const engine = openMysql(await throughGate(url, 3306), limits);
    expect(await breakDuring(engine.query(sql, [], never), isRunning)).toBeInstanceOf(Error);
    expect(await engine.query('SELECT 1 AS one', [], never)).toMatchObject([{ one: 1 }]);
    expect(fatal).toEqual([]);
    await engine.close();
  });
});
