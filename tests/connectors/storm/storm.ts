// Many dashboards reload at once: two connector hosts as processes, one Redis, three simulated systems, and what each was asked.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { composeOrThrow, TRACE_ID } from '../../gateway/library-gateway.ts';
import { type SubgraphServer, startSubgraph } from '../../gateway/subgraph-server.ts';
import { createPostgresDatabase } from '../../support/engines.ts';
import { BARE_ENVIRONMENT } from '../../support/environment.ts';
import { askRedis, type EventServer, startRedis } from '../../support/event-servers.ts';
import { waitFor } from '../../support/wait.ts';
import { APP_KEY, type SimulatorProcess, startSimulators, WEBHOOK_SECRET } from '../simulator-process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const HOST = fileURLToPath(new URL('host.ts', import.meta.url));
const COMMUNITY = '320508017003';
const SYSTEMS = ['hotline', 'grid', 'police'] as const;
const HOSTS = 2;
const CASES = 160;
const CASES_SHOWN = 20;

/** What each of the systems that count may be asked. */
export const BUDGETS = {
  hotline: { concurrency: 3, perSecond: 20, burst: 4 },
  police: { concurrency: 2, perSecond: 10, burst: 2 },
} as const;

const FRESHNESS = '@freshness(maxAge: "1s", staleIfError: "1h", scope: SHARED)';

const DESK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
type Query { cases(offset: Int!): [Incident!] }
type Incident @key(fields: "id") { id: ID! externalNumbers: [ExternalNumber!]! }
type ExternalNumber @shareable { kind: String! number: ID! }`;

const DASHBOARD = `query Dashboard($offset: Int!) {
  cases(offset: $offset) {
    id
    hotlineOrder { title status }
    policeCase { status place }
    grid { name worker { name } }
  }
}`;
const PARTS = ['hotlineOrder', 'policeCase', 'grid'] as const;

/** What came of one reload of all dashboards. */
export interface Reload {
  /** Parts of answers: fresh, given again, stale with their age, or missing with a coded error. */
  readonly told: Readonly<Record<'FRESH' | 'CACHED' | 'STALE' | 'CODED', number>>;
  /** Parts that are missing and nobody says why: there must be none. */
  readonly silent: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly longestMs: number;
}

export interface Load {
  readonly perSecondMax: number;
  readonly concurrentMax: number;
}

export interface Storm {
  readonly simulators: SimulatorProcess;
  readonly redis: EventServer;
  /** `during` is called when half of the dashboards have asked. */
  reload(dashboards: number, during?: () => Promise<void>): Promise<Reload>;
  /** What the systems were asked since the last time. */
  loads(): Promise<Readonly<Record<keyof typeof BUDGETS, Load>>>;
  /** Resolves when both hosts share. */
  shared(): Promise<void>;
  close(): Promise<void>;
}

export async function startStorm(): Promise<Storm> {
  const opened: (() => unknown)[] = [];
  const close = async () => {
    for (const end of opened.toReversed()) await end();
  };
  try {
    const database = await createPostgresDatabase();
    opened.push(() => database.drop());
    const owners = findMigrationOwners(ROOT).filter(({ schema }) =>
      ['events', 'connectors'].includes(schema),
    );
    await migrateAll(database.url, owners);
    const redis = await startRedis();
    opened.push(() => redis.stop());
    const simulators = await startSimulators({
      systems: SYSTEMS,
      webhookUrl: 'http://127.0.0.1:9/in/hotline',
    });
    opened.push(() => simulators.close());
    const folder = mkdtempSync(join(tmpdir(), 'weft-storm-'));
    opened.push(() => rmSync(folder, { recursive: true }));
    const folders = SYSTEMS.map((system) => protectedFolder(folder, system));
    const desk = await startDesk(simulators);
    opened.push(() => desk.close());
    const env = hostEnvironment(simulators, database.url, redis.url, folders);
    const hosts = await Promise.all(Array.from({ length: HOSTS }, () => startHostProcess(env)));
    for (const { child } of hosts) opened.push(() => kill(child));
    const engines = hosts.map(({ urls }) => openEngine(desk, folders, urls));
    for (const engine of engines) opened.push(() => engine.close());
    for (const system of ['hotline', 'police'] as const)
      await simulators.control(system, '/faults', 'POST', { latencyMs: 25 });
    const shared = async () => {
      const sharing = async () => Number(await askRedis(redis.url, 'ZCARD', '{weft:guard}:sharing'));
      await waitFor('both hosts to share', async () => (await sharing()) === HOSTS, 20_000);
    };
    return {
      simulators,
      redis,
      shared,
      reload: (dashboards, during) => reload(engines, dashboards, during),
      async loads() {
        const load = (system: keyof typeof BUDGETS) => simulators.control<Load>(system, '/load', 'DELETE');
        return { hotline: await load('hotline'), police: await load('police') };
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** A copy of a wrapped system's folder whose answers are kept, and whose budget is small. */
function protectedFolder(root: string, system: (typeof SYSTEMS)[number]): string {
  const folder = join(root, system);
  cpSync(join(SUBGRAPHS_FOLDER, system), folder, { recursive: true });
  const file = join(folder, `${system}.graphql`);
  const sdl = readFileSync(file, 'utf8');
  const kept = sdl.replaceAll(/^(type (?:HotlineOrder|Grid|GridWorker|PoliceCase))$/gm, `$1 ${FRESHNESS}`);
  writeFileSync(file, system === 'grid' ? kept : kept.replace(/concurrency: \d+/, guardOf(system)));
  return folder;
}

function guardOf(system: keyof typeof BUDGETS): string {
  const { concurrency, perSecond, burst } = BUDGETS[system];
  return `concurrency: ${concurrency} ratePerSecond: ${perSecond} burst: ${burst}`;
}

/** Cases that are known to the three systems by their own numbers. */
async function startDesk(simulators: SimulatorProcess): Promise<SubgraphServer> {
  const numbered = Array.from({ length: CASES }, (_, index) => index);
  const orders = await simulators.control<readonly { orderNo: string }[]>(
    'hotline',
    '/orders',
    'POST',
    numbered.map((index) => ({
      externalRef: `o${index}`,
      subject: `路灯不亮 ${index}`,
      areaCode: COMMUNITY,
    })),
  );
  const cases = await simulators.control<readonly { receiptNo: string }[]>(
    'police',
    '/cases',
    'POST',
    numbered.map((index) => ({ externalRef: `c${index}`, place: `平江路${index}号` })),
  );
  const incidentOf = (index: number) => ({
    id: String(index),
    externalNumbers: [
      { kind: 'hotlineOrder', number: orders[index]?.orderNo },
      { kind: 'policeReceipt', number: cases[index]?.receiptNo },
      { kind: 'gridCode', number: `${COMMUNITY}00${(index % 3) + 1}` },
    ],
  });
  return startSubgraph('desk', DESK, {
    Query: {
      cases: (_root: unknown, { offset }: { offset: number }) =>
        Array.from({ length: CASES_SHOWN }, (_, index) => incidentOf((offset + index) % CASES)),
    },
    Incident: { __resolveReference: ({ id }: { id: string }) => incidentOf(Number(id)) },
  });
}

function hostEnvironment(
  { urls }: SimulatorProcess,
  databaseUrl: string,
  redisUrl: string,
  folders: readonly string[],
): NodeJS.ProcessEnv {
  return {
    ...BARE_ENVIRONMENT,
    DATABASE_URL: databaseUrl,
    STORM_REDIS_URL: redisUrl,
    STORM_FOLDERS: JSON.stringify(folders),
    WEFT_HOTLINE_URL: urls.hotline,
    WEFT_GRID_DSN: urls.gridDsn,
    WEFT_POLICE_URL: urls.police,
    WEFT_POLICE_EXCHANGE_DSN: urls.policeExchangeDsn,
    SECRET_HOTLINE_APP_KEY: APP_KEY,
    SECRET_HOTLINE_WEBHOOK: WEBHOOK_SECRET,
  };
}

interface HostProcess {
  readonly child: ChildProcess;
  readonly urls: Readonly<Record<string, string>>;
}

async function startHostProcess(env: NodeJS.ProcessEnv): Promise<HostProcess> {
  const child = fork(HOST, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env });
  const [message] = (await once(child, 'message')) as [
    { kind: string; message?: string; urls: Readonly<Record<string, string>> },
  ];
  if (message.kind !== 'ready') throw new Error(`a host: ${message.message}`);
  return { child, urls: message.urls };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function openEngine(
  desk: SubgraphServer,
  folders: readonly string[],
  urls: Readonly<Record<string, string>>,
): GatewayEngine {
  const wrapped = folders.map((folder) => {
    const { plan } = compileSystem(folder);
    return { name: plan.name, url: urls[plan.name] ?? '', sdl: plan.storedSdl };
  });
  return createEngine({
    supergraphSdl: composeOrThrow([desk, ...wrapped]),
    logger: createLogger('storm', 'silent'),
  });
}

interface Answer {
  readonly data?: { readonly cases: readonly Readonly<Record<string, unknown>>[] | null } | null;
  readonly errors?: readonly {
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
  readonly extensions?: {
    readonly weft?: {
      readonly freshness?: readonly {
        readonly path: readonly (string | number)[];
        readonly state: string;
        readonly ageMs: number;
      }[];
    };
  };
}

async function reload(
  engines: readonly GatewayEngine[],
  dashboards: number,
  during: (() => Promise<void>) | undefined,
): Promise<Reload> {
  const startedAtMs = performance.now();
  let longestMs = 0;
  const one = async (index: number) => {
    const engine = engines[index % engines.length] as GatewayEngine;
    const answer = await askDashboard(engine, (index * 7) % CASES);
    longestMs = Math.max(longestMs, performance.now() - startedAtMs);
    return answer;
  };
  const half = Math.floor(dashboards / 2);
  const first = Array.from({ length: half }, (_, index) => one(index));
  await during?.();
  const rest = Array.from({ length: dashboards - half }, (_, index) => one(half + index));
  return { ...judge(await Promise.all([...first, ...rest])), longestMs: Math.round(longestMs) };
}

async function askDashboard(engine: GatewayEngine, offset: number): Promise<Answer> {
  const prepared = await engine.prepare(DASHBOARD);
  if ('errors' in prepared) throw new Error(JSON.stringify(prepared.errors));
  const headers = { 'x-weft-tell': 'freshness' };
  const context = { signal: AbortSignal.timeout(30_000), traceId: TRACE_ID, principal: ANONYMOUS, headers };
  return JSON.parse(JSON.stringify(await engine.execute(prepared, { offset }, context))) as Answer;
}

function judge(answers: readonly Answer[]): Omit<Reload, 'longestMs'> {
  const told = { FRESH: 0, CACHED: 0, STALE: 0, CODED: 0 };
  const codes: Record<string, number> = {};
  let silent = 0;
  for (const { data, errors = [], extensions } of answers) {
    const states = new Map(
      (extensions?.weft?.freshness ?? []).map((each) => [each.path.join('.'), each] as const),
    );
    if (data?.cases?.length !== CASES_SHOWN) {
      const name = errors.map(({ extensions: own }) => nameOf(own)).find((each) => each !== undefined);
      if (name === undefined) silent += 1;
      else codes[name] = (codes[name] ?? 0) + 1;
    }
    for (const [index, shown] of (data?.cases ?? []).entries()) {
      for (const part of PARTS) {
        const path = ['cases', index, part];
        const state = states.get(path.join('.'));
        // Of a record of which nothing but its number is known, the fields are missing.
        const error = errors.find((each) => path.every((segment, at) => each.path?.[at] === segment));
        const name = error === undefined ? undefined : nameOf(error.extensions);
        if (shown[part] !== null && state !== undefined && (state.state !== 'STALE' || state.ageMs > 0))
          told[state.state as 'FRESH'] += 1;
        else if (name === undefined) silent += 1;
        else {
          told.CODED += 1;
          codes[name] = (codes[name] ?? 0) + 1;
        }
      }
    }
  }
  return { told, silent, codes };
}

/** Undefined for an error without a code. */
function nameOf({
  code,
  breaker,
  bulkhead,
  rate,
  quiet,
}: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof code !== 'string') return undefined;
  return [code, breaker, bulkhead, rate, quiet].filter((part) => part !== undefined).join(' ');
}
