// The hub's database: the embedded PostgreSQL, kept running, or the one that DATABASE_URL names.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from '@weft/core/deadline';
import { type EmbeddedPostgres, startPostgres } from '@weft/core/embedded-postgres';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import pg from 'pg';
import { ROOT } from '../checkout.ts';

export interface Database {
  readonly url: string;
  /** Process id of the embedded server, of the one that runs now; undefined with DATABASE_URL. */
  pid(): number | undefined;
  stop(): Promise<void>;
}

const WATCH_MS = 250;
const RESTART_MS = 1_000;

/**
 * Starts the database when it is ours, and brings it to the newest migration.
 * @throws OperatorError when it cannot be reached or migrated
 */
export async function openDatabase(
  home: string,
  databaseUrl: string | undefined,
  tell: (line: string) => void,
): Promise<Database> {
  const database =
    databaseUrl === undefined ? await embedded(join(home, 'postgres'), tell) : given(databaseUrl);
  try {
    const applied = await migrateAll(database.url, findMigrationOwners(ROOT));
    if (applied.length > 0) tell(`${applied.length} migrations applied`);
    await compareIdentity(home, database.url, tell);
  } catch (thrown) {
    await database.stop();
    throw thrown;
  }
  return database;
}

const IDENTITY = `SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid AS identity
  FROM pg_database WHERE datname = current_database()`;

/** What the simulated systems have pushed into one database they never push again: another one lacks it for good. */
async function compareIdentity(home: string, url: string, tell: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ identity: string }>(IDENTITY).finally(() => client.end());
  const file = join(home, 'database');
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  const now = rows[0]?.identity ?? '';
  if (before !== undefined && before !== now) {
    tell(
      `this database is another one than ${home} was used with: what the simulated systems have told that one, they do not tell again. For a new city set WEFT_HOME to a new folder`,
    );
  }
  writeFileSync(file, now);
}

function given(url: string): Database {
  return { url, pid: () => undefined, stop: async () => undefined };
}

async function embedded(directory: string, tell: (line: string) => void): Promise<Database> {
  let server: EmbeddedPostgres = await startPostgres({ directory });
  if (server.adopted) tell('the PostgreSQL of an earlier run was still there: it is used');
  const port = Number(new URL(server.url).port);
  const ending = new AbortController();
  const watching = watch();
  return {
    url: server.url,
    pid: () => server.pid,
    async stop() {
      ending.abort();
      await watching;
      await server.stop();
    },
  };

  /** A server that was killed is started again on its port: the hub's processes find it where it was. */
  async function watch(): Promise<void> {
    while (!ending.signal.aborted) {
      await delay(WATCH_MS, ending.signal).catch(() => undefined);
      if (ending.signal.aborted || server.isRunning()) continue;
      tell('PostgreSQL ended: starting it again');
      try {
        server = await startPostgres({ directory, port });
        tell('PostgreSQL is back');
      } catch (thrown) {
        tell((thrown as Error).message);
        await delay(RESTART_MS, ending.signal).catch(() => undefined);
      }
    }
  }
}
