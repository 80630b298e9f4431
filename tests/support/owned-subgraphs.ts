// The owned subgraphs on a database of their own: in this process, or as the process that production runs.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { ProcessMessage } from '@weft/core/process';
import { createRequestSigner } from '@weft/core/signatures/sign';
import type { CloudEvent } from '@weft/events/envelope';
import { fromPgClient, postgresAppender } from '@weft/events/postgres/appender';
import { type SubgraphsOptions, startSubgraphs } from '@weft/subgraphs/start';
import pg from 'pg';
import { createPostgresDatabase } from './engines.ts';
import { BARE_ENVIRONMENT } from './environment.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface GraphQLAnswer {
  readonly status: number;
  readonly data: Record<string, never> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Record<string, unknown>;
  }[];
}

/** Posts one operation and answers what came back, whatever its status. */
export async function ask(
  url: string | undefined,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<GraphQLAnswer> {
  return await post(url ?? '', JSON.stringify({ query, variables }));
}

async function post(url: string, body: string, headers: Record<string, string> = {}): Promise<GraphQLAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(60_000),
  });
  return { status: response.status, ...((await response.json()) as Omit<GraphQLAnswer, 'status'>) };
}

/** A migrated database that nobody else uses, with a client on it. @param server another than the PostgreSQL that all tests share */
export async function createMigratedDatabase(server?: string) {
  const database = await createPostgresDatabase(server);
  await migrateAll(database.url, findMigrationOwners(ROOT));
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  return {
    url: database.url,
    client,
    async drop() {
      await client.end();
      await database.drop();
    },
  };
}

/** The subgraphs in this process; `urls` by name. */
export function startInProcess(databaseUrl: string) {
  return startSubgraphs({
    databaseUrl,
    host: '127.0.0.1',
    port: 0,
    anonymousMay: 'demo',
    logger: createLogger('subgraphs', 'silent'),
  });
}

/** Who asks, as the gateway tells a subgraph. */
export interface Asker {
  readonly subject?: string;
  readonly roles: readonly string[];
  readonly division?: string;
  readonly department?: string;
}

/** The subgraphs as they are in production: they answer signed requests alone, and the anonymous may do nothing. */
export async function startSigned(
  databaseUrl: string,
  settings: Pick<SubgraphsOptions, 'attachments' | 'deadlinesFile' | 'directoryFile' | 'evidence'> = {},
) {
  const key = { id: 'test', secret: randomBytes(32).toString('hex') };
  const logger = createLogger('subgraphs', 'silent');
  const options = { databaseUrl, host: '127.0.0.1', port: 0, subgraphKeys: [key], logger };
  const hub = await startSubgraphs({ ...options, ...settings });
  return {
    /** What a gateway before them must have. */
    key,
    urls: hub.urls,
    close: () => hub.close(),
    /** Posts one operation to the incident library, or another subgraph, as somebody; undefined: as nobody. */
    askAs: (
      asker: Asker | undefined,
      query: string,
      variables: Record<string, unknown> = {},
      subgraph: 'incidents' | 'directory' = 'incidents',
    ) => askSigned(hub.urls[subgraph], key, asker, query, variables),
  };
}

/** Posts one operation as somebody, signed by a key that the subgraph has; undefined: as nobody. */
export function askSigned(
  address: string | undefined,
  key: { readonly id: string; readonly secret: string },
  asker: Asker | undefined,
  query: string,
  variables: Record<string, unknown>,
): Promise<GraphQLAnswer> {
  const url = new URL(address ?? '');
  const body = JSON.stringify({ query, variables });
  const place = { method: 'POST', authority: url.host, target: url.pathname };
  const signer = createRequestSigner({ key, ...place, contentType: 'application/json' });
  const principal = Buffer.from(JSON.stringify(asker ?? { roles: [], scopes: [] })).toString('base64');
  const pairs = signer.sign(body, principal);
  const signed = Object.fromEntries(
    pairs.flatMap((name, index) => (index % 2 === 0 ? [[name, pairs[index + 1] ?? '']] : [])),
  );
  return post(url.href, body, signed);
}

/**
 * The subgraphs as the process that production runs; `kill` is -9.
 * @param env its further settings
 */
export async function startAsProcess(databaseUrl: string, env: Readonly<Record<string, string>> = {}) {
  const child = fork(resolve(ROOT, 'subgraphs/main.ts'), [], {
    env: {
      ...BARE_ENVIRONMENT,
      DATABASE_URL: databaseUrl,
      WEFT_LOG_LEVEL: 'warn',
      WEFT_ANONYMOUS_MAY: 'demo',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(60_000) })) as [
    ProcessMessage,
  ];
  if (message.kind !== 'ready') throw new Error(`the subgraphs did not start: ${message.message}`);
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    const [exitCode] = (await exited) as [number | null];
    return exitCode;
  };
  return { urls: message.urls, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}

/** Appends events in one transaction, as a connector does. */
export async function appendEvents(
  client: pg.Client,
  topic: string,
  events: readonly CloudEvent[],
): Promise<void> {
  await client.query('BEGIN');
  await postgresAppender.append(fromPgClient(client), topic, events);
  await client.query('COMMIT');
}

/** A report of the hotline about its order `number`. */
export function hotlineReport(number: string, fields: Record<string, string | null> = {}): CloudEvent {
  return {
    specversion: '1.0',
    id: `report:HotlineOrder:${number}`,
    source: '/systems/hotline',
    type: 'dev.weft.incident-report',
    subject: `HotlineOrder:${number}`,
    time: '2026-11-22T00:00:00.000Z',
    datacontenttype: 'application/json',
    correlationid: number,
    data: {
      channel: 'HOTLINE',
      title: `暴露垃圾 ${number}`,
      reportedAt: '2026-11-22T08:00:00+08:00',
      division: '320508017003',
      externalNumbers: { hotlineOrder: number, policeReceipt: null },
      ...fields,
    },
  };
}
