// A connector host over the simulated ledger, in this process or as one that can be killed, on a database of its own.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { ProcessMessage, Started } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { createPostgresDatabase } from '../../support/engines.ts';
import { BARE_ENVIRONMENT } from '../../support/environment.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** The folder that wraps the ledger. */
export const LEDGER_FOLDER = fileURLToPath(new URL('./ledger', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./host-program.ts', import.meta.url));

export interface CommandDatabase {
  readonly url: string;
  rows<Row extends Record<string, unknown>>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<readonly Row[]>;
  drop(): Promise<void>;
}

/** A database with the tables of the connectors and of the event log. */
export async function createCommandDatabase(): Promise<CommandDatabase> {
  const database = await createPostgresDatabase();
  const owners = findMigrationOwners(ROOT).filter(({ schema }) => ['events', 'connectors'].includes(schema));
  await migrateAll(database.url, owners);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  return {
    url: database.url,
    async rows<Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []) {
      return (await pool.query<Row>(sql, [...parameters])).rows;
    },
    async drop() {
      await pool.end();
      await database.drop();
    },
  };
}

/** The host in this process. */
export function startLedgerHost(databaseUrl: string, ledgerUrl: string): Promise<Started> {
  return startHost({
    systems: [compileSystem(LEDGER_FOLDER).plan],
    databaseUrl,
    appender: postgresAppender,
    env: { LEDGER_URL: ledgerUrl },
    secrets: openSecrets(undefined, {}),
    host: '127.0.0.1',
    servePort: 0,
    ingestPort: 0,
    logger: createLogger('connectors', process.env.WEFT_TEST_LOG === 'debug' ? 'debug' : 'silent'),
  });
}

/** The host as a process of its own. */
export interface HostProcess {
  readonly urls: Readonly<Record<string, string>>;
  /** kill -9, whatever it is doing. */
  kill(): Promise<void>;
}

export async function startHostProcess(databaseUrl: string, ledgerUrl: string): Promise<HostProcess> {
  const child: ChildProcess = fork(PROGRAM, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...BARE_ENVIRONMENT, DATABASE_URL: databaseUrl, LEDGER_URL: ledgerUrl },
  });
  const exited = once(child, 'exit');
  const [message] = (await once(child, 'message')) as [ProcessMessage];
  if (message.kind !== 'ready') throw new Error(`the host did not start: ${message.message}`);
  return {
    urls: message.urls,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** JSON of any shape, to be asserted by the test. */
export interface Answer {
  readonly data: Readonly<Record<string, Receipt>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

export interface Receipt {
  readonly commandId: string;
  readonly outcome: string;
  readonly upstreamRef: string | null;
  readonly code: string | null;
  readonly [field: string]: unknown;
}

export async function ask<Result = Answer>(
  url: string | undefined,
  query: string,
  variables: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const response = await fetch(url ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(15_000),
  });
  return (await response.json()) as Result;
}
