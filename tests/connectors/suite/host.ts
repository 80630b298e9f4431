// A connector host in this process over one column's folder, with a PostgreSQL database of its own.
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { Started } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { createPostgresDatabase } from '../../support/engines.ts';
import type { SuiteSystem } from './column.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface SuiteError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

export interface SuiteAnswer {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly SuiteError[];
}

/** What the hub's store knows of a record by what was told to it. */
export interface StoredRecord {
  readonly data: Readonly<Record<string, unknown>>;
  readonly lateCount: number;
}

export interface SuiteHost {
  readonly system: SuiteSystem;
  /** The system's name: its folder's. */
  readonly name: string;
  /** The webhook receiver's address, without a path. */
  readonly ingestUrl: string;
  query(text: string, variables?: object): Promise<SuiteAnswer>;
  /** `Record`s by their keys, in one request, as a gateway asks. */
  entities(ids: readonly string[], selection: string): Promise<SuiteAnswer>;
  /** Events of a record in the log. */
  eventCount(id: string): Promise<number>;
  stored(id: string): Promise<StoredRecord | undefined>;
  /** What waits in quarantine, of this system. */
  quarantineCount(): Promise<number>;
  close(): Promise<void>;
}

/** Starts the host over a running old system. `close` ends the host and drops its database; the old system is the caller's. */
export async function startSuiteHost(system: SuiteSystem): Promise<SuiteHost> {
  const { plan } = compileSystem(system.folder);
  const database = await createPostgresDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  let host: Started | undefined;
  const close = async () => {
    await host?.close();
    await pool.end();
    await database.drop();
  };
  try {
    const owners = findMigrationOwners(ROOT).filter(({ schema }) =>
      ['events', 'connectors'].includes(schema),
    );
    await migrateAll(database.url, owners);
    host = await startHost({
      systems: [plan],
      databaseUrl: database.url,
      appender: postgresAppender,
      env: system.env,
      secrets: openSecrets(undefined, system.env),
      host: '127.0.0.1',
      servePort: 0,
      ingestPort: 0,
      logger: createLogger('suite', 'silent'),
    });
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const serveUrl = host.urls[plan.name] ?? '';
  const ingestUrl = new URL(host.urls.ingest ?? '').origin;
  return { system, name: plan.name, ingestUrl, close, ...readers(plan.name, serveUrl, pool) };
}

function readers(name: string, serveUrl: string, pool: pg.Pool) {
  const query = async (text: string, variables: object = {}): Promise<SuiteAnswer> => {
    const response = await fetch(serveUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text, variables }),
    });
    const { data = null, errors = [] } = (await response.json()) as Partial<SuiteAnswer>;
    return { data, errors };
  };
  const one = async <Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[]) =>
    (await pool.query<Row>(sql, [...parameters])).rows[0];
  return {
    query,
    entities: (ids: readonly string[], selection: string) =>
      query(`query($r: [_Any!]!) { _entities(representations: $r) { ... on Record { ${selection} } } }`, {
        r: ids.map((id) => ({ __typename: 'Record', id })),
      }),
    eventCount: async (id: string) =>
      (
        await one<{ count: number }>(
          'SELECT count(*)::int AS count FROM events.event WHERE topic = $1 AND subject = $2',
          ['Record', `Record:${id}`],
        )
      )?.count ?? 0,
    async stored(id: string): Promise<StoredRecord | undefined> {
      const row = await one<{ data: StoredRecord['data']; late_count: number }>(
        'SELECT data, late_count FROM connectors.record WHERE system = $1 AND type = $2 AND key = $3',
        [name, 'Record', id],
      );
      return row === undefined ? undefined : { data: row.data, lateCount: row.late_count };
    },
    quarantineCount: async () =>
      (
        await one<{ count: number }>(
          'SELECT count(*)::int AS count FROM connectors.quarantine WHERE system = $1',
          [name],
        )
      )?.count ?? 0,
  };
}
