// A connector host in this process over SDL folders that a test writes, with a PostgreSQL database of its own.
import { createHmac, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { Started } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { createPostgresDatabase } from '../support/engines.ts';
import type { GraphqlAnswer } from './rig.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface FolderHost {
  /** Holds the system's folder; the test may keep files beside it. Removed by `close`. */
  readonly home: string;
  readonly databaseUrl: string;
  /** @param subgraph the system's own unless told */
  query(text: string, variables?: object, subgraph?: string): Promise<GraphqlAnswer>;
  rows<Row extends Record<string, unknown>>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<readonly Row[]>;
  /** Pushes a delivery to `/in/…`, signed with the secret `hook`. */
  push(path: string, body: object): Promise<Response>;
  /** Writes the SDL anew; the next host runs with it. */
  write(sdl: string): void;
  /** The next host runs with this instead of the first one. */
  setEnv(env: Readonly<Record<string, string>>): void;
  startHost(): Promise<void>;
  stopHost(): Promise<void>;
  close(): Promise<void>;
}

const HOOK_SECRET = 'hook-secret';

/** @param env of the host, for what the SDL's templates and secrets read */
export async function startFolderHost(
  name: string,
  sdl: string,
  env: (home: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<FolderHost> {
  const home = mkdtempSync(join(tmpdir(), 'weft-folder-host-'));
  const folder = join(home, name);
  mkdirSync(folder);
  const database = await createPostgresDatabase();
  const owners = findMigrationOwners(ROOT).filter(({ schema }) => ['events', 'connectors'].includes(schema));
  await migrateAll(database.url, owners);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  let hostEnv: Readonly<Record<string, string>> = { SECRET_HOOK: HOOK_SECRET, ...env(home) };
  let host: Started | undefined;
  const rig: FolderHost = {
    home,
    databaseUrl: database.url,
    query: (text, variables = {}, subgraph = name) =>
      post(host?.urls[subgraph] ?? '', { query: text, variables }),
    async rows<Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []) {
      return (await pool.query<Row>(sql, [...parameters])).rows;
    },
    push: (path, body) => push(`${host?.urls.ingest}${path}`, body),
    write: (text) => writeFileSync(join(folder, 'system.graphql'), text),
    setEnv(next) {
      hostEnv = { SECRET_HOOK: HOOK_SECRET, ...next };
    },
    async startHost() {
      host = await startHost({
        systems: [compileSystem(folder).plan],
        databaseUrl: database.url,
        appender: postgresAppender,
        env: hostEnv,
        secrets: openSecrets(undefined, hostEnv),
        host: '127.0.0.1',
        servePort: 0,
        ingestPort: 0,
        logger: createLogger('folder-host', 'silent'),
      });
    },
    async stopHost() {
      await host?.close();
      host = undefined;
    },
    async close() {
      await rig.stopHost();
      await pool.end();
      await database.drop();
      rmSync(home, { recursive: true, force: true });
    },
  };
  rig.write(sdl);
  await rig.startHost();
  return rig;
}

async function post(url: string, body: object): Promise<GraphqlAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as GraphqlAnswer;
}

function push(url: string, body: object): Promise<Response> {
  const text = JSON.stringify(body);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', HOOK_SECRET).update(`${timestamp}.${text}`).digest('hex');
  const headers = { 'x-event-id': randomUUID(), 'x-timestamp': timestamp, 'x-signature': signature };
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
}
