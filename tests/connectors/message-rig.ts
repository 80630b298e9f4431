// A connector host in this process over one SDL text, for what is told and asked by message.
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
import { waitFor } from '../support/wait.ts';
import type { GraphqlAnswer } from './rig.ts';
import { startTcpGate, type TcpGate } from './tcp-gate.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SYSTEM = 'lamps';

export interface MessageRig {
  /** Between the hosts and their database. */
  readonly databaseGate: TcpGate;
  query(text: string, variables?: object): Promise<GraphqlAnswer>;
  rows<Row extends Record<string, unknown>>(sql: string): Promise<readonly Row[]>;
  /** How many events each record has, when `count` records have some. */
  untilEvents(count: number): Promise<ReadonlyMap<string, number>>;
  /** The last state that was told of the system, once it is as asked. */
  untilState(state: string, reason?: RegExp): Promise<void>;
  startHost(env?: Readonly<Record<string, string>>): Promise<void>;
  /** The one that was started last. */
  stopHost(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one host; `close` ends every one and drops the database. */
export async function startMessageRig(
  sdl: string,
  env: Readonly<Record<string, string>>,
): Promise<MessageRig> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-message-rig-'));
  const systemFolder = join(folder, SYSTEM);
  const database = await createPostgresDatabase();
  await migrateAll(
    database.url,
    findMigrationOwners(ROOT).filter(({ schema }) => ['events', 'connectors'].includes(schema)),
  );
  const address = new URL(database.url);
  const databaseGate = await startTcpGate(address.hostname, Number(address.port || 5432));
  const throughGate = new URL(database.url);
  throughGate.host = `127.0.0.1:${databaseGate.port}`;
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  const hosts: Started[] = [];
  const rows: MessageRig['rows'] = async <Row extends Record<string, unknown>>(sql: string) =>
    (await pool.query<Row>(sql)).rows;

  mkdirSync(systemFolder);
  writeFileSync(join(systemFolder, 'lamps.graphql'), sdl);
  const { plan } = compileSystem(systemFolder);
  const rig: MessageRig = {
    databaseGate,
    rows,
    async query(text, variables = {}) {
      const response = await fetch(hosts[0]?.urls[SYSTEM] ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: text, variables }),
      });
      return (await response.json()) as GraphqlAnswer;
    },
    untilEvents: (count) =>
      waitFor(`events of ${count} records`, async () => {
        const found = await rows<{ subject: string; count: number }>(
          "SELECT subject, count(*)::int AS count FROM events.event WHERE topic = 'Lamp' GROUP BY subject",
        );
        return found.length >= count && new Map(found.map((row) => [row.subject, row.count]));
      }),
    untilState: (state, reason = /^/) =>
      waitFor(`the system to be told ${state}`, async () => {
        const [last] = await rows<{ data: { state: string; reason: string | null } }>(
          "SELECT envelope->'data' AS data FROM events.event WHERE topic = 'system' ORDER BY seq DESC LIMIT 1",
        );
        return last?.data.state === state && reason.test(last.data.reason ?? '') ? true : undefined;
      }).then(() => undefined),
    async startHost(more = {}) {
      const all = { ...env, ...more };
      const host = await startHost({
        systems: [plan],
        databaseUrl: throughGate.href,
        appender: postgresAppender,
        env: all,
        secrets: openSecrets(undefined, all),
        host: '127.0.0.1',
        servePort: 0,
        ingestPort: 0,
        logger: createLogger('rig', 'silent'),
      });
      hosts.push(host);
    },
    async stopHost() {
      await hosts.pop()?.close();
    },
    async close() {
      for (const host of hosts) await host.close();
      await databaseGate.close();
      await pool.end();
      await database.drop();
      rmSync(folder, { recursive: true });
    },
  };
  return rig;
}
