// The processes of the hub: which program each one is, and the settings it gets.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileCacheEnvironment } from '@weft/core/compile-cache';
import { ROOT, type StoredSubgraph } from '../checkout.ts';
import { openIssuer } from '../token/issuer.ts';
import type { ChildSpec } from './child.ts';
import type { UpConfig } from './config.ts';
import { amqpAddress, DEPARTMENTS, departmentAddresses, departmentSettings } from './departments.ts';
import type { Secrets } from './secrets.ts';

export const PORT_NAMES = [
  'subgraphs',
  'connectors',
  'ingest',
  'hotline',
  'gridControl',
  'police',
  'urbanManagement',
  'humanResources',
  'humanResourcesMqtt',
  'marketSupervision',
  'joining',
] as const;

export interface Plan {
  readonly home: string;
  readonly config: UpConfig;
  readonly databaseUrl: string;
  readonly secrets: Secrets;
  readonly ports: Readonly<Record<(typeof PORT_NAMES)[number], number>>;
  readonly stored: readonly StoredSubgraph[];
  /** Whether a RabbitMQ answers at WEFT_HR_AMQP_URL; else human resources runs on MQTT. */
  readonly hasRabbitmq: boolean;
}

/** In the order in which they are stopped: who sends before who receives. */
export function planParts(plan: Plan): readonly ChildSpec[] {
  const simulated = SIMULATED.map((name) => ({ ...simulatedPart(plan, name), simulated: true }));
  const webhooks = plan.config.WEFT_WEBHOOKS_FILE === undefined ? [] : [webhooksPart(plan)];
  return [...webhooks, gateway(plan), ...simulated, connectors(plan), subgraphs(plan), events(plan)];
}

/** Writes the stored SDL of every subgraph and the list of them that the gateway composes at start. */
function writeStoredSubgraphs({ home, ports, stored }: Plan): string {
  const folder = join(home, 'subgraphs');
  mkdirSync(folder, { recursive: true });
  const list = stored.map(({ name, servedBy, sdl, owner }) => {
    const sdlFile = join(folder, `${name}.graphql`);
    writeFileSync(sdlFile, sdl);
    return {
      name,
      url: `http://127.0.0.1:${ports[servedBy]}/${name}/graphql`,
      sdlFile,
      ...(owner && { owner }),
    };
  });
  const file = join(home, 'subgraphs.json');
  writeFileSync(file, JSON.stringify({ subgraphs: list }, null, 2));
  return file;
}

/** Where the gateway's own systems are, and in a demo that of a story, exactly; all others that register are public, or named by the setting. */
function allowedHosts({ ports, config }: Plan): string {
  const own = [ports.subgraphs, ports.connectors, ...(isDemo(config) ? [ports.joining] : [])].map(
    (port) => `127.0.0.1:${port}`,
  );
  const given = config.WEFT_REGISTRY_ALLOWED_HOSTS;
  return [...own, ...(given === undefined ? [] : [given])].join(',');
}

/** What has the gateway take its graph from the registry; the files of the settings are for when it was never reached. */
function registryOfGateway(plan: Plan): Readonly<Record<string, string>> {
  return {
    WEFT_REGISTRY_URL: `http://127.0.0.1:${plan.ports.subgraphs}/registry/graphql`,
    WEFT_REGISTRY_PUBLIC_KEYS_FILE: plan.secrets.registryPublicKeyFile,
    WEFT_REGISTRY_CACHE: join(plan.home, 'graph'),
    WEFT_REGISTRY_ALLOWED_HOSTS: allowedHosts(plan),
    ...given(plan.config, ['WEFT_GRAPH_VARIANT']),
  };
}

function gateway(plan: Plan): ChildSpec {
  return part(plan, 'gateway', join('gateway', 'main.ts'), {
    PORT: String(plan.config.PORT),
    WEFT_HOST: plan.config.WEFT_HOST,
    WEFT_SUBGRAPHS_FILE: writeStoredSubgraphs(plan),
    // The reference engine takes its graph from files.
    ...(plan.config.WEFT_ENGINE === 'apollo' ? {} : registryOfGateway(plan)),
    WEFT_KEYS_FILE: plan.secrets.keysFile,
    WEFT_ATTACHMENTS_URL: `http://127.0.0.1:${plan.ports.subgraphs}/incidents/attachments`,
    DATABASE_URL: plan.databaseUrl,
    ...given(plan.config, ['EVENT_LOG']),
    ...identity(plan),
    ...DRAIN,
    ...given(plan.config, GATEWAY_SETTINGS),
  });
}

/** Whose credentials the gateway takes: those of the settings, else the tokens of this home's demo, which there are none of in production. */
function identity({ home, config }: Plan): Readonly<Record<string, string>> {
  const settings = given(config, [
    'WEFT_JWKS',
    'WEFT_JWT_ISSUER',
    'WEFT_JWT_AUDIENCE',
    'WEFT_JWT_ALGORITHMS',
    'WEFT_JWT_TYPES',
    'WEFT_JWT_CLOCK_TOLERANCE_MS',
    'WEFT_JWT_ROLES_CLAIM',
    'WEFT_JWT_DIVISION_CLAIM',
    'WEFT_JWT_DEPARTMENT_CLAIM',
    'WEFT_API_KEYS_FILE',
    'NODE_ENV',
  ]);
  return isDemo(config) ? { ...settings, ...openIssuer(home, config.NODE_ENV).settings } : settings;
}

/** Of the system that joins in a story; none where the hub is no demo. */
export function joiningUrl({
  ports,
  config,
}: Pick<Plan, 'ports' | 'config'>): Readonly<Record<string, string>> {
  return isDemo(config) ? { joining: `http://127.0.0.1:${ports.joining}/graphql` } : {};
}

/** Nobody is named whose tokens count: the hub is an issuer of its own, and its mutations are open. */
function isDemo(config: UpConfig): boolean {
  return (
    config.WEFT_JWKS === undefined &&
    config.WEFT_JWT_ISSUER === undefined &&
    config.WEFT_JWT_AUDIENCE === undefined &&
    config.NODE_ENV !== 'production'
  );
}

/** No load balancer stands before it, and who stops the hub waits for it. */
const DRAIN = { WEFT_DRAIN_GRACE_MS: '0', WEFT_DRAIN_TIMEOUT_MS: '3000' };

/** Passed on as they are; the gateway checks them. */
const GATEWAY_SETTINGS = [
  'WEFT_ENGINE',
  'WEFT_PLANNER',
  'WEFT_SHARE_IN_FLIGHT',
  'WEFT_FORWARDED_HEADERS',
  'WEFT_OVERRIDE_LABELS',
  'WEFT_POLICIES_FILE',
  'WEFT_UNAUTHORIZED',
  'WEFT_CSRF',
  'WEFT_CORS_ORIGINS',
  'WEFT_COMPRESSION',
  'WEFT_BATCHING',
  'WEFT_STREAMS_PER_PRINCIPAL_MAX',
  'WEFT_STREAMS_PER_ADDRESS_MAX',
  'WEFT_SOCKETS_MAX',
  'WEFT_SOCKETS_PER_PRINCIPAL_MAX',
  'WEFT_SOCKETS_PER_ADDRESS_MAX',
  'WEFT_APQ',
  'WEFT_TRUSTED_DOCUMENTS_FILE',
  'WEFT_TRUSTED_DOCUMENTS',
  'WEFT_COST_MAX',
  'WEFT_INTROSPECTION',
  'WEFT_SUBGRAPH_MESSAGES',
  'WEFT_SUBGRAPH_TIMEOUTS_MS',
  'WEFT_ATTACHMENT_BYTES_MAX',
  'WEFT_METRICS',
  'WEFT_INSPECT',
  'WEFT_EXPLORER',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
] as const;

/** The settings among `names` that were set. */
function given(config: UpConfig, names: readonly (keyof UpConfig)[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => (config[name] === undefined ? [] : [[name, String(config[name])]])),
  );
}

function subgraphs(plan: Plan): ChildSpec {
  return part(plan, 'subgraphs', join('subgraphs', 'main.ts'), {
    DATABASE_URL: plan.databaseUrl,
    WEFT_SUBGRAPHS_PORT: String(plan.ports.subgraphs),
    WEFT_KEYS_FILE: plan.secrets.subgraphKeysFile,
    WEFT_EVIDENCE_KEY_FILE: plan.secrets.evidenceKeyFile,
    WEFT_REGISTRY_KEY_FILE: plan.secrets.registryKeyFile,
    WEFT_REGISTRY_ALLOWED_HOSTS: allowedHosts(plan),
    WEFT_REGISTRY_SEED_FILE: writeStoredSubgraphs(plan),
    WEFT_ATTACHMENTS: join(plan.home, 'attachments'),
    WEFT_ANONYMOUS_MAY: isDemo(plan.config) ? 'demo' : 'nothing',
    ...given(plan.config, [
      'EVENT_LOG',
      'WEFT_ANONYMOUS_MAY',
      'WEFT_DEADLINES_FILE',
      'WEFT_DIRECTORY_FILE',
      'WEFT_ATTACHMENTS',
      'WEFT_ATTACHMENT_BYTES_MAX',
      'WEFT_ATTACHMENTS_UNREFERENCED_MS',
      'WEFT_ATTACHMENTS_PENDING_BYTES_MAX',
      'WEFT_REGISTRY_VARIANTS_FILE',
      'WEFT_EVIDENCE_KEY_FILE',
      'WEFT_EVIDENCE_HASH',
      'WEFT_EVIDENCE_INTERVAL_MS',
      'NODE_ENV',
    ]),
  });
}

function events(plan: Plan): ChildSpec {
  return part(plan, 'events', join('events', 'main.ts'), {
    DATABASE_URL: plan.databaseUrl,
    ...given(plan.config, ['EVENT_LOG', 'WEFT_EVENT_RETENTION']),
  });
}

function connectors(plan: Plan): ChildSpec {
  const { ports } = plan;
  // Addresses and secrets of further wrapped systems, and of real ones in the place of the simulated.
  const addresses = plan.stored.flatMap(({ environment }) => environment);
  const environment = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && (addresses.includes(name) || name.startsWith('SECRET_'))
      ? [[name, value] as const]
      : [],
  );
  return part(plan, 'connectors', join('connectors', 'main.ts'), {
    DATABASE_URL: plan.databaseUrl,
    WEFT_CONNECTORS_PORT: String(ports.connectors),
    WEFT_INGEST_PORT: String(ports.ingest),
    WEFT_SECRETS_DIR: plan.secrets.directory,
    WEFT_KEYS_FILE: plan.secrets.subgraphKeysFile,
    WEFT_HOTLINE_URL: `http://127.0.0.1:${ports.hotline}`,
    WEFT_GRID_DSN: `sqlite://${join(plan.home, 'simulators', 'grid.db')}`,
    WEFT_POLICE_URL: `http://127.0.0.1:${ports.police}/CaseService`,
    WEFT_POLICE_EXCHANGE_DSN: `sqlite://${join(plan.home, 'simulators', 'police.db')}`,
    ...departmentAddresses(plan),
    ...given(plan.config, [
      'WEFT_GUARD_REDIS_URL',
      'WEFT_GUARD_REPLICAS',
      'WEFT_DRIFT_EVERY',
      'WEFT_SYSTEM_VARIANTS',
    ]),
    ...Object.fromEntries(environment),
    ...amqpAddress(plan),
  });
}

function webhooksPart(plan: Plan): ChildSpec {
  return part(plan, 'webhooks', join('webhooks', 'main.ts'), {
    DATABASE_URL: plan.databaseUrl,
    WEFT_SECRETS_DIR: plan.secrets.directory,
    WEFT_WEBHOOKS_GATEWAY_URL: `ws://127.0.0.1:${plan.config.PORT}/graphql`,
    ...given(plan.config, ['WEFT_WEBHOOKS_FILE', 'WEFT_WEBHOOKS_GATEWAY_URL', 'WEFT_WEBHOOKS_ALLOWED_HOSTS']),
    ...secretEnvironment(),
  });
}

function secretEnvironment(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && name.startsWith('SECRET_') ? [[name, value] as const] : [],
    ),
  );
}

/** The simulated old systems, and the city whose people use them: each can be killed, and started again, alone; departments but the police together. */
export const SIMULATED = ['city', 'hotline', 'grid', 'police', 'departments'] as const;
export type Simulated = (typeof SIMULATED)[number];

/** The program that stands for one system of other people: it gets no address of the hub's database. */
export function simulatedPart(plan: Omit<Plan, 'databaseUrl' | 'stored'>, name: Simulated): ChildSpec {
  const { ports } = plan;
  const directory = join(plan.home, 'simulators');
  mkdirSync(directory, { recursive: true });
  return part(plan, name, join('simulators', 'main.ts'), {
    SIMULATORS: name === 'departments' ? DEPARTMENTS.join(',') : name,
    WEFT_SIM_DIR: directory,
    HOTLINE_PORT: String(ports.hotline),
    GRID_CONTROL_PORT: String(ports.gridControl),
    POLICE_PORT: String(ports.police),
    HOTLINE_CONTROL_URL: `http://127.0.0.1:${ports.hotline}/_control`,
    GRID_CONTROL_URL: `http://127.0.0.1:${ports.gridControl}/_control`,
    POLICE_CONTROL_URL: `http://127.0.0.1:${ports.police}/_control`,
    HOTLINE_WEBHOOK_URL: `http://127.0.0.1:${ports.ingest}/in/hotline`,
    HOTLINE_WEBHOOK_SECRET: plan.secrets.hotlineWebhook,
    HOTLINE_APP_KEY: plan.secrets.hotlineAppKey,
    ...(name === 'departments' ? departmentSettings(plan) : {}),
    DEMO_RATE: String(plan.config.DEMO_RATE),
    HUB_GRAPHQL_URL: `http://127.0.0.1:${plan.config.PORT}/graphql`,
  });
}

/** What every program may see of the surroundings; the rest of the environment is not its business. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'TZ',
  'LANG',
  'TMPDIR',
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'SystemRoot',
];

function part(
  plan: Pick<Plan, 'home' | 'config'>,
  name: string,
  script: string,
  env: Readonly<Record<string, string>>,
): ChildSpec {
  const logs = join(plan.home, 'logs');
  mkdirSync(logs, { recursive: true });
  const surroundings = PASSED_ON.flatMap((key) => {
    const value = process.env[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    name,
    script: join(ROOT, script),
    logFile: join(logs, `${name}.log`),
    env: {
      ...Object.fromEntries(surroundings),
      ...compileCacheEnvironment(),
      WEFT_HOME: plan.home,
      WEFT_LOG_LEVEL: plan.config.WEFT_LOG_LEVEL,
      ...env,
    },
  };
}
