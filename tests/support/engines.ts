// The engines that a test may use: which are reachable here, and databases of its own on them.
import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';

const PROBE_MS_MAX = 2_000;

/** PostgreSQL for tests: WEFT_TEST_POSTGRES, else the local server with trust authentication. */
export const POSTGRES_URL = process.env.WEFT_TEST_POSTGRES ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
/** MariaDB for tests: WEFT_TEST_MARIADB, else the local server's root without a password. */
export const MARIADB_URL = process.env.WEFT_TEST_MARIADB ?? 'mysql://root@127.0.0.1:3306/mysql';

/** Undefined when PostgreSQL answers, else why the tests on it are skipped. */
export async function whyNoPostgres(): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: PROBE_MS_MAX });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return undefined;
  } catch (thrown) {
    return tellSkipped('PostgreSQL', thrown);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Undefined when MariaDB answers, else why the tests on it are skipped. */
export async function whyNoMariadb(): Promise<string | undefined> {
  try {
    const connection = await mysql.createConnection({ uri: MARIADB_URL, connectTimeout: PROBE_MS_MAX });
    await connection.end();
    return undefined;
  } catch (thrown) {
    return tellSkipped('MariaDB', thrown);
  }
}

function tellSkipped(engine: string, thrown: unknown): string {
  const reason = `${engine} cannot be reached: ${(thrown as Error).message || (thrown as { code?: string }).code}`;
  console.warn(`SKIPPED: ${reason}`);
  return reason;
}

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A new, empty database with a name of its own. @param server another than the PostgreSQL that all tests share */
export async function createPostgresDatabase(server = POSTGRES_URL): Promise<TestDatabase> {
  const name = `weft_test_${randomBytes(6).toString('hex')}`;
  await onPostgres(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onPostgres(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function onPostgres(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A new, empty database with a name of its own on the shared MariaDB. */
export async function createMariadbDatabase(): Promise<TestDatabase> {
  const name = `weft_test_${randomBytes(6).toString('hex')}`;
  await onMariadb(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const url = new URL(MARIADB_URL);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onMariadb(`DROP DATABASE IF EXISTS ${name}`) };
}

async function onMariadb(sql: string): Promise<void> {
  const connection = await mysql.createConnection({ uri: MARIADB_URL });
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}
