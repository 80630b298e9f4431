// Registrations, updates and removals in a storm, on gateways with live subscriptions and queries: what came of it, in figures.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEvent } from '../events/event-log-suite.ts';
import { type LiveLog, openLiveLog } from '../live/live-log.ts';
import { type Load, startLoad } from '../rolling/load.ts';
import { waitFor } from '../support/wait.ts';
import { type StormGateway, startStormGateway } from './storm-gateway.ts';
import { openScriptedStormRegistry, type StormRegistry, type StormSurroundings } from './storm-registry.ts';
import { openSubscribers, type Subscriber, type Subscribers } from './storm-subscribers.ts';
import {
  askOf,
  asksForNotes,
  lampOf,
  STREET,
  type StormSystems,
  startStormSystems,
  subscriptionOf,
} from './storm-systems.ts';

export interface StormOptions {
  readonly gateways: number;
  readonly subscriptions: number;
  /** Queries a second, of all gateways together. */
  readonly rate: number;
  readonly publications: number;
  /** In which the publications come, one after the other. */
  readonly seconds: number;
  /** Load before the storm, to compare with. */
  readonly secondsBefore: number;
  /** Those of the storm and as many more as are missing, without load: the heap is compared after so many. */
  readonly reloads: number;
  /** Default: the scripted one. */
  openRegistry?(surroundings: StormSurroundings): Promise<StormRegistry>;
  onProgress?(text: string): void;
}

export interface StormReport {
  readonly sent: number;
  readonly heldBack: number;
  readonly late: number;
  readonly failures: readonly string[];
  readonly closedSockets: number;
  /** Ended with the code, as they should, since a field is gone. */
  readonly endedAsGone: number;
  /** Whose fields are gone. */
  readonly toEnd: number;
  /** Ended otherwise, or though their fields are there. */
  readonly endedWrongly: readonly string[];
  readonly events: number;
  /** Of those that go on. */
  readonly lost: number;
  readonly duplicates: number;
  readonly resultsWithErrors: number;
  readonly publications: number;
  readonly visibleMs: { readonly p50: number; readonly max: number };
  readonly queryMs: { readonly before: Percentiles; readonly during: Percentiles };
  readonly reloads: number;
  readonly heapMb: readonly { readonly before: number; readonly after: number }[];
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
}

/** A machine that is busy otherwise is waited for; what it took is told. */
const VISIBLE_MS_MAX = 60_000;
const EVENT_EVERY_MS = 1_000;
const LOOK_EVERY_S = 0.05;
const BYTES_PER_MB = 1_048_576;
const SETTLE_S = 1;
/** For the kernel, the sockets and the planners to be warm before anything is compared. */
const WARM_RELOADS = 4;

export async function runStorm(options: StormOptions): Promise<StormReport> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-storm-'));
  const live = await openLiveLog();
  const systems = await startStormSystems(options.publications);
  const hosts = [-1, 0].flatMap((publication) => systems.at(publication).map(({ url }) => new URL(url).host));
  const registry = await (options.openRegistry ?? openScriptedStormRegistry)({ folder, live, hosts });
  const gateways: StormGateway[] = [];
  try {
    await registry.publish(systems.at(-1));
    for (let n = 0; n < options.gateways; n += 1)
      gateways.push(await startStormGateway(settingsOf(registry, live, hosts, join(folder, `cache${n}`))));
    return await storm(options, { live, registry, systems, gateways });
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await systems.close();
    await registry.close();
    await live.close();
    rmSync(folder, { recursive: true });
  }
}

function settingsOf(
  registry: StormRegistry,
  live: LiveLog,
  hosts: readonly string[],
  cache: string,
): Readonly<Record<string, string>> {
  return {
    ...registry.env,
    DATABASE_URL: live.databaseUrl,
    WEFT_REGISTRY_CACHE: cache,
    WEFT_REGISTRY_ALLOWED_HOSTS: hosts.join(','),
  };
}

interface Parts {
  readonly live: LiveLog;
  readonly registry: StormRegistry;
  readonly systems: StormSystems;
  readonly gateways: readonly StormGateway[];
}

async function storm(options: StormOptions, parts: Parts): Promise<StormReport> {
  const { onProgress = () => undefined } = options;
  const { gateways } = parts;
  const wanted = Array.from({ length: options.subscriptions }, (_, n) => ({
    url: gateways[n % gateways.length]?.ws ?? '',
    query: subscriptionOf(n),
  }));
  const subscribers = await openSubscribers(wanted, lampOf);
  const events = tellEvents(parts.live);
  try {
    await untilAllLive(subscribers);
    onProgress('all subscriptions are live');
    await reloadTimes(parts, -1, WARM_RELOADS);
    const loads = gateways.map(({ graphql }) => startLoad(graphql, options.rate / gateways.length, askOf));
    await pause(options.secondsBefore);
    const counts = () => loads.map(({ latenciesMs }) => latenciesMs.length);
    const calm = counts();
    const heapBefore = await heaps(gateways);
    // To collect garbage stops a gateway: who asked meanwhile is counted in neither.
    await pause(SETTLE_S);
    const begin = counts();
    onProgress('the storm begins');
    const visible = await publishAll(options, parts, onProgress);
    await Promise.all(loads.map((load) => load.stop()));
    await events.stop();
    const missing = Math.max(0, options.reloads - options.publications);
    await reloadTimes(parts, options.publications, missing, onProgress);
    const heapAfter = await heaps(gateways);
    const heapMb = heapBefore.map((before, n) => ({ before, after: heapAfter[n] ?? Number.NaN }));
    return {
      ...queryFigures(loads, calm, begin),
      ...subscriberFigures(subscribers.all, events.told()),
      publications: options.publications,
      visibleMs: { p50: percentile(visible, 0.5), max: Math.max(...visible) },
      reloads: options.publications + missing,
      heapMb,
    };
  } finally {
    await events.stop();
    subscribers.close();
  }
}

interface Events {
  /** Numbers of the events that were told, in turn. */
  told(): number;
  stop(): Promise<void>;
}

/** One event after the other, numbered from 1, until it is stopped. */
function tellEvents(live: LiveLog): Events {
  let told = 0;
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      told += 1;
      const id = String(told);
      const event = makeEvent(`lamp-${id}`, { street: STREET, lamp: { id } });
      // The tests of a busy machine share its PostgreSQL, which may have no connection free for a moment.
      await waitFor('a connection', () => live.append('lamp', event).then(() => true), VISIBLE_MS_MAX);
      await pause(EVENT_EVERY_MS / 1_000);
    }
  };
  const running = run();
  return {
    told: () => told,
    async stop() {
      isOver = true;
      await running;
      // What was told last is on its way.
      await pause(EVENT_EVERY_MS / 1_000);
    },
  };
}

async function untilAllLive({ all }: Subscribers<number>): Promise<void> {
  await waitFor('every subscription to be live', () => all.every(({ events }) => events.length > 0), 120_000);
}

/** Each waits until all gateways serve it: graphs that differ from each other in a description alone. */
async function reloadTimes(
  { registry, systems, gateways }: Parts,
  /** Whose systems they are. */
  publication: number,
  times: number,
  onProgress?: (text: string) => void,
): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const before = await Promise.all(gateways.map(generationOf));
    const [first, ...others] = systems.at(publication);
    if (first === undefined) throw new Error('there are no systems');
    const changed = { ...first, sdl: `${first.sdl}\n"${n} of ${performance.now()}" scalar Stamp` };
    await registry.publish([changed, ...others]);
    await waitFor(
      'all to have reloaded',
      async () =>
        (await Promise.all(gateways.map(generationOf))).every(({ id }, at) => id !== before[at]?.id),
      VISIBLE_MS_MAX,
    );
    if (n % 10 === 0) onProgress?.(`${n} more reloads`);
  }
}

interface Generation {
  readonly id: string;
  readonly publication: number;
}

async function generationOf({ origin }: StormGateway): Promise<Generation> {
  const response = await fetch(`${origin}/health/ready`);
  const { generation } = (await response.json()) as { readonly generation: Generation };
  return generation;
}

/** @returns for each publication the milliseconds until all gateways served it */
async function publishAll(
  { publications, seconds }: StormOptions,
  { registry, systems, gateways }: Parts,
  onProgress: (text: string) => void,
): Promise<readonly number[]> {
  const startedAt = performance.now();
  const seen: Promise<number>[] = [];
  const served = gateways.map(watchServed);
  for (let n = 0; n < publications; n += 1) {
    const dueAt = startedAt + (n * seconds * 1_000) / publications;
    await pause(Math.max(0, dueAt - performance.now()) / 1_000);
    const publication = await registry.publish(systems.at(n));
    seen.push(untilVisible(n, publication, systems, served));
    if (n % 10 === 9) onProgress(`${n + 1} publications`);
  }
  try {
    return await Promise.all(seen);
  } finally {
    for (const each of served) each.stop();
  }
}

interface Served {
  readonly gateway: StormGateway;
  /** The latest that it said it serves. */
  readonly publication: number;
  stop(): void;
}

/** One question at a time of each gateway, however many publications are waited for: who looks on must not be the load. */
function watchServed(gateway: StormGateway): Served {
  let isOver = false;
  const stop = () => {
    isOver = true;
  };
  const served = { gateway, publication: 0, stop };
  const watch = async () => {
    while (!isOver) {
      served.publication = (await generationOf(gateway).catch(() => served)).publication;
      await pause(LOOK_EVERY_S);
    }
  };
  void watch();
  return served;
}

/** A gateway that comes late passes over what was published between: then the later one counts. */
async function untilVisible(
  n: number,
  publication: number,
  systems: StormSystems,
  served: readonly Served[],
): Promise<number> {
  const publishedAt = performance.now();
  const [comes, goes] = [systems.fieldOf(n), systems.goneWith(n)];
  const isServed = async ({ gateway, publication: served }: Served) => {
    if (served < publication) return false;
    const response = await fetch(gateway.graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ ${comes ?? goes} }` }),
    });
    const answer = (await response.json()) as { readonly data?: unknown };
    return served > publication || (answer.data !== undefined) === (comes !== undefined);
  };
  await Promise.all(
    served.map((each) => waitFor(`publication ${publication}`, () => isServed(each), VISIBLE_MS_MAX)),
  );
  return performance.now() - publishedAt;
}

async function heaps(gateways: readonly StormGateway[]): Promise<readonly number[]> {
  return Promise.all(gateways.map(async (gateway) => (await gateway.heapBytes()) / BYTES_PER_MB));
}

type QueryFigures = Pick<StormReport, 'sent' | 'heldBack' | 'late' | 'failures' | 'queryMs'>;

/** @param calm answers of each load up to which nothing was stirred @param begin from which the storm was */
function queryFigures(
  loads: readonly Load[],
  calm: readonly number[],
  begin: readonly number[],
): QueryFigures {
  const sum = (read: (load: Load) => number) => loads.reduce((all, load) => all + read(load), 0);
  return {
    sent: sum(({ sent }) => sent),
    heldBack: sum(({ heldBack }) => heldBack),
    late: sum(({ late }) => late),
    failures: loads.flatMap(({ failures }) => failures),
    queryMs: {
      before: percentilesOf(loads.flatMap(({ latenciesMs }, n) => latenciesMs.slice(0, calm[n]))),
      during: percentilesOf(loads.flatMap(({ latenciesMs }, n) => latenciesMs.slice(begin[n]))),
    },
  };
}

type SubscriberFigures = Pick<
  StormReport,
  | 'closedSockets'
  | 'endedAsGone'
  | 'toEnd'
  | 'endedWrongly'
  | 'events'
  | 'lost'
  | 'duplicates'
  | 'resultsWithErrors'
>;

function subscriberFigures(all: readonly Subscriber<number>[], told: number): SubscriberFigures {
  const toEnd = all.filter(({ query }) => asksForNotes(query));
  const isAsGone = ({ endedWith }: Subscriber<number>) => endedWith === 'SUBSCRIPTION_SCHEMA_RELOAD';
  const staying = all.filter(({ query }) => !asksForNotes(query));
  const wrongly = [...staying.filter(({ endedWith }) => endedWith), ...toEnd.filter((one) => !isAsGone(one))];
  // From its first to the last that was told, each once.
  const lost = staying.map(({ events }) => told - (events[0] ?? 0) + 1 - new Set(events).size);
  return {
    closedSockets: all.filter(({ closeCode }) => closeCode !== undefined).length,
    toEnd: toEnd.length,
    endedAsGone: toEnd.filter(isAsGone).length,
    endedWrongly: wrongly.map(({ query, endedWith }) => `${query}: ${endedWith}`),
    events: told,
    lost: lost.reduce((sum, count) => sum + count, 0),
    duplicates: all.reduce((sum, { events }) => sum + events.length - new Set(events).size, 0),
    resultsWithErrors: all.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function percentilesOf(values: readonly number[]): Percentiles {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99), count: values.length };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
