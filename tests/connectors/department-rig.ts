// The departments' simulated systems in this process, each behind its wrapped SDL in one connector host.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { chooseVariants, SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { Started } from '@weft/core/process';
import { freePort } from '@weft/core/process-table';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { Connection } from 'rabbitmq-client';
import { startHumanResources } from '../../simulators/human-resources/server.ts';
import { startMarketSupervision } from '../../simulators/market-supervision/server.ts';
import { startPolice } from '../../simulators/police/server.ts';
import { startUrbanManagement } from '../../simulators/urban-management/server.ts';
import { RABBITMQ_URL } from '../support/brokers.ts';
import { createPostgresDatabase } from '../support/engines.ts';
import type { GraphqlAnswer } from './rig.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface DepartmentRig {
  query(system: string, text: string, variables?: object): Promise<GraphqlAnswer>;
  rows<Row extends Record<string, unknown>>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<readonly Row[]>;
  /** @param path below `/_control/` */
  control(system: string, path: string, method?: string, body?: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const APP = { appId: 'weft', appSecret: 'department-hmac' };
const STANDARD_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const CLIENT = 'weft:department-client';
const HOOK_SECRET = 'department-hook';
const SLOW_MS = 50;

/** @param protocol of human resources: the real RabbitMQ, or the broker inside the simulator */
export async function startDepartmentRig(protocol: 'amqp' | 'mqtt'): Promise<DepartmentRig> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-departments-'));
  const database = await createPostgresDatabase();
  const owners = findMigrationOwners(ROOT).filter(({ schema }) => ['events', 'connectors'].includes(schema));
  await migrateAll(database.url, owners);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  const ingestPort = await freePort();
  const prefix = `weft-test-${randomBytes(6).toString('hex')}`;
  const systems = await startSystems(protocol, { directory, ingestPort, prefix });
  const { env } = systems;
  const host = await startDepartmentHost(protocol, { env, databaseUrl: database.url, ingestPort });
  return {
    async query(system, text, variables = {}) {
      const response = await fetch(host.urls[system] ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: text, variables }),
      });
      return (await response.json()) as GraphqlAnswer;
    },
    async rows<Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []) {
      return (await pool.query<Row>(sql, [...parameters])).rows;
    },
    async control(system, path, method = 'GET', body = undefined) {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      const response = await fetch(`${systems.controls[system]}/_control/${path}`, init);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Record<string, unknown>;
    },
    async close() {
      await host.close();
      await systems.close();
      if (protocol === 'amqp') await deleteQueues(prefix);
      await pool.end();
      await database.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Systems {
  /** For the host that wraps them. */
  readonly env: Readonly<Record<string, string>>;
  /** Without `/_control`. */
  readonly controls: Readonly<Record<string, string>>;
  close(): Promise<unknown>;
}

interface Place {
  readonly directory: string;
  readonly ingestPort: number;
  readonly prefix: string;
}

async function startSystems(
  protocol: 'amqp' | 'mqtt',
  { directory, ingestPort, prefix }: Place,
): Promise<Systems> {
  const common = { directory, paceMs: 0 };
  const hook = (name: string) => `http://127.0.0.1:${ingestPort}/in/${name}`;
  const urban = await startUrbanManagement({
    ...common,
    port: 0,
    key: APP,
    webhookUrl: hook('urban-management'),
    webhookSecret: STANDARD_SECRET,
  });
  const market = await startMarketSupervision({
    ...common,
    port: 0,
    client: CLIENT,
    webhookUrl: hook('market-supervision'),
    webhookSecret: HOOK_SECRET,
  });
  const human = await startHumanResources({
    ...common,
    controlPort: 0,
    answerMs: SLOW_MS,
    broker: protocol === 'amqp' ? { kind: 'amqp', url: RABBITMQ_URL, prefix } : { kind: 'mqtt', port: 0 },
  });
  const police = await startPolice({ directory, port: 0 });
  const { protocol: scheme, host: broker, username, password } = new URL(RABBITMQ_URL);
  const env: Readonly<Record<string, string>> = {
    WEFT_URBAN_MANAGEMENT_URL: `${urban.url}/api/v2`,
    WEFT_MARKET_SUPERVISION_URL: market.url,
    WEFT_HR_AMQP_URL: `${scheme}//${broker}`,
    WEFT_HR_PREFIX: prefix,
    WEFT_HR_MQTT_URL: human.mqttUrl ?? '',
    WEFT_POLICE_URL: `${police.url}/CaseService`,
    WEFT_POLICE_EXCHANGE_DSN: police.exchangeDsn,
    SECRET_URBAN_MANAGEMENT_APP: APP.appId,
    SECRET_URBAN_MANAGEMENT_HMAC: APP.appSecret,
    SECRET_URBAN_MANAGEMENT_WEBHOOK: STANDARD_SECRET,
    SECRET_MARKET_SUPERVISION_CLIENT: CLIENT,
    SECRET_MARKET_SUPERVISION_WEBHOOK: HOOK_SECRET,
    SECRET_HUMAN_RESOURCES_LOGIN: `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  };
  return {
    env,
    controls: {
      'urban-management': urban.url,
      'market-supervision': market.url,
      'human-resources': human.controlUrl,
      police: police.url,
    },
    close: () => Promise.all([urban, market, human, police].map((system) => system.close())),
  };
}

function startDepartmentHost(
  protocol: 'amqp' | 'mqtt',
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly databaseUrl: string;
    readonly ingestPort: number;
  },
): Promise<Started> {
  const folders = ['human-resources', 'market-supervision', 'police', 'urban-management'].map((name) =>
    join(SUBGRAPHS_FOLDER, name),
  );
  const chosen = chooseVariants(folders, protocol === 'mqtt' ? 'human-resources=over-mqtt' : undefined);
  return startHost({
    systems: chosen.map((folder) => compileSystem(folder).plan),
    databaseUrl: options.databaseUrl,
    appender: postgresAppender,
    env: options.env,
    secrets: openSecrets(undefined, options.env),
    host: '127.0.0.1',
    servePort: 0,
    ingestPort: options.ingestPort,
    logger: createLogger('department-rig', 'silent'),
  });
}

async function deleteQueues(prefix: string): Promise<void> {
  const connection = new Connection(RABBITMQ_URL);
  for (const queue of ['requests', 'changes']) await connection.queueDelete({ queue: `${prefix}-${queue}` });
  await connection.close();
}
