// `weft up`: starts and supervises the database, the gateway, the subgraphs, the connectors and the simulated city.
import { OperatorError } from '@weft/core/errors';
import type { Release } from '@weft/core/exclusive';
import { freePort, isPortFree } from '@weft/core/process-table';
import { homeDirectory, readStoredSubgraphs, type StoredSubgraph } from '../checkout.ts';
import { Child } from './child.ts';
import { readUpConfig, type UpConfig } from './config.ts';
import { type Database, openDatabase } from './database.ts';
import { answersAmqp } from './departments.ts';
import { joiningUrl, PORT_NAMES, planParts } from './parts.ts';
import { assignPorts, removeRun, takeOver, writeRun } from './run-file.ts';
import { openSecrets } from './secrets.ts';
import { bringBack } from './simulate.ts';

/** What runs so far, in the order in which it is stopped. */
interface Hub {
  /** Gives the home back; undefined until it is ours. */
  release: Release | undefined;
  children: readonly Child[];
  database: Database | undefined;
}

/**
 * Runs until Ctrl-C, SIGTERM, or the end of the `npm` that started it.
 * @throws OperatorError when a part cannot start; what had been started is stopped first
 */
export async function up(_options: object): Promise<void> {
  ignoreClosedTerminal();
  const stored = readStoredSubgraphs();
  const config = readUpConfig(
    process.env,
    stored.flatMap(({ environment }) => environment),
  );
  const home = homeDirectory(process.env);
  const hub: Hub = { release: undefined, children: [], database: undefined };
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= stopHub(hub, home);
    return stopping;
  };
  // npm passes Ctrl-C on, so it arrives twice: the second one changes nothing.
  const onSignal = () => {
    if (stopping === undefined) tell('stopping');
    void stop().then(() => process.exit(0));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  watchParent(onSignal);
  try {
    await startHub(hub, home, config, stored);
  } catch (thrown) {
    if (stopping !== undefined) return;
    await stop();
    throw thrown;
  }
}

async function startHub(
  hub: Hub,
  home: string,
  config: UpConfig,
  stored: readonly StoredSubgraph[],
): Promise<void> {
  const startedAt = performance.now();
  hub.release = await takeOver(home);
  const settled = await settlePort(config);
  tell(
    config.DATABASE_URL === undefined
      ? 'starting the embedded PostgreSQL'
      : `connecting to ${withoutPassword(config.DATABASE_URL)}`,
  );
  hub.database = await openDatabase(home, config.DATABASE_URL, tell);
  const urls: Record<string, string> = {};
  const writeDown = () => {
    const pids = hub.children.flatMap(({ spec, pid }) =>
      pid === undefined ? [] : [[spec.name, pid] as const],
    );
    writeRun(home, { pid: process.pid, pids: Object.fromEntries(pids), urls });
  };
  const hasRabbitmq = await answersAmqp(settled.WEFT_HR_AMQP_URL);
  if (!hasRabbitmq)
    tell(`no RabbitMQ at ${withoutPassword(settled.WEFT_HR_AMQP_URL)}: human resources runs on MQTT`);
  const ports = await assignPorts(home, PORT_NAMES, new Set([settled.PORT]));
  const specs = planParts({
    home,
    hasRabbitmq,
    config: settled,
    databaseUrl: hub.database.url,
    secrets: openSecrets(home),
    ports,
    stored,
  });
  tell(`starting ${specs.map(({ name }) => name).join(', ')}`);
  hub.children = specs.map((spec) => new Child(spec, tell, writeDown));
  const reached = await Promise.all(
    hub.children.map(async (child) => publicUrls(child.spec.name, await child.start())),
  );
  Object.assign(urls, ...reached, joiningUrl({ ports, config: settled }));
  writeDown();
  announce(urls, performance.now() - startedAt);
  process.on('SIGUSR2', () => void bringBack(hub, home, tell));
}

/**
 * The settings with the port that the gateway will have: those who ask it must know it before it listens.
 * @throws OperatorError when it is taken
 */
export async function settlePort(config: UpConfig): Promise<UpConfig> {
  if (config.PORT === 0) return { ...config, PORT: await freePort() };
  if (await isPortFree(config.PORT, config.WEFT_HOST)) return config;
  throw new OperatorError(
    `port ${config.PORT} is in use: stop what listens there, or set PORT to another one`,
    { exitCode: 2 },
  );
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.password = '';
  return url.href;
}

/** The subgraphs' own addresses are told apart from those of the systems that they wrap, which have the same names. */
function publicUrls(part: string, urls: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (part !== 'subgraphs' && part !== 'connectors') return urls;
  return Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [name === 'ingest' ? name : `subgraph/${name}`, url]),
  );
}

async function stopHub(hub: Hub, home: string): Promise<void> {
  for (const child of hub.children) await child.stop();
  await hub.database?.stop();
  if (hub.release !== undefined) removeRun(home);
  await hub.release?.();
}

const BANNER: readonly (readonly [string, string])[] = [
  ['command centre', 'dashboard'],
  ['explorer', 'explorer'],
  ['GraphQL', 'graphql'],
  ['subscriptions', 'ws'],
  ['simulated 12345 hotline', 'hotlineControl'],
  ['simulated grid platform', 'gridControl'],
  ['simulated police', 'policeControl'],
  ['simulated urban management', 'urbanManagementControl'],
  ['simulated human resources', 'humanResourcesControl'],
  ['  which runs on RabbitMQ', 'humanResourcesAmqp'],
  ['  which runs on MQTT', 'humanResourcesMqtt'],
  ['simulated market supervision', 'marketSupervisionControl'],
  ['webhooks in', 'ingest'],
];

function announce(urls: Readonly<Record<string, string>>, elapsedMs: number): void {
  const lines = BANNER.flatMap(([label, name]) =>
    urls[name] === undefined ? [] : [`  ${label.padEnd(30)}${urls[name]}`],
  );
  process.stdout.write(
    `weft: ready in ${(elapsedMs / 1000).toFixed(1)} s\n${lines.join('\n')}\n  Ctrl-C stops everything\n`,
  );
}

function tell(line: string): void {
  process.stdout.write(`weft: ${line}\n`);
}

const PARENT_POLL_MS = 500;

/** A SIGKILL of npm reaches nobody else: its end is seen by the change of our parent. */
function watchParent(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, PARENT_POLL_MS).unref();
}

/** A closed terminal must not hang the shutdown on a line that nobody can read. */
function ignoreClosedTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
