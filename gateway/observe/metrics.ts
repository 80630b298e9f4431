// What Prometheus reads of the gateway. Loaded only where metrics are on. No label holds what a client chose.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createDurations, createHistogram } from './histogram.ts';
import type { EngineMeter, EngineStatus } from './meter.ts';
import type { MetricsText } from './metrics-route.ts';
import type { OperationSink } from './observer.ts';

/** How the gateway stands, asked for each time it is read. */
export interface GatewayReadings {
  engine(): EngineStatus | undefined;
  generation(): { readonly id: string; readonly loadedAt: Date };
  sockets(): number;
  live(): LiveReadings;
  upstreams(): UpstreamReadings;
  /** Systems whose live SDL differs from what is registered, and in what. */
  drift(): ReadonlyMap<string, readonly string[]>;
}

/** Of live fields: counts since the start, and what there is now. */
export interface LiveReadings {
  /** Subscriptions that stand in a stream of the event log. */
  readonly streams: number;
  /** Topics of the event log that are being read. */
  readonly topics: number;
  /** Subscribers that are served alike count as one group. */
  readonly groups: number;
  readonly members: number;
  /** Subscribers whose transport is full. */
  readonly slow: number;
  readonly events: number;
  readonly deliveries: number;
  readonly slowGaps: number;
}

/** Of subscriptions that subgraphs serve. */
export interface UpstreamReadings {
  readonly subscriptions: number;
  readonly listeners: number;
  readonly connections: number;
}

export interface Metrics extends MetricsText, OperationSink, EngineMeter {
  subscriptionsChanged(change: 1 | -1): void;
  reloaded(outcome: 'switched' | 'unchanged' | 'refused'): void;
  /** From when all parts are there. */
  setReadings(readings: GatewayReadings): void;
}

const PREFIX = 'weft_';

/** Of the process, whatever gateways it holds: memory, processor, garbage, the event loop's delay. */
const processRegistry = new Registry();
collectDefaultMetrics({ register: processRegistry });

export function openMetrics(): Metrics {
  const registry = new Registry();
  const counts = createCounts(registry);
  const lookups = { hit: 0, pending: 0, miss: 0 };
  let readings: GatewayReadings | undefined;
  registerReadings(registry, () => readings, lookups);
  const all = Registry.merge([processRegistry, registry]);
  return {
    contentType: registry.contentType,
    read: () => all.metrics(),
    operationEnded({ kind = 'none', transport, cost }, outcome, durationMs) {
      if (kind === 'subscription') counts.subscriptions.inc({ outcome });
      else counts.operations.observe(durationMs, kind, transport, outcome);
      if (cost !== undefined) counts.cost.observe(cost);
    },
    fetched: (subgraph, outcome, durationMs) => counts.fetches.observe(durationMs, subgraph, outcome),
    shared: (subgraph) => counts.shared.inc({ subgraph }),
    lookedUp(found) {
      lookups[found] += 1;
    },
    prepared: (outcome, durationMs) => counts.prepared.observe(durationMs, outcome),
    subscriptionsChanged: (change) => counts.openSubscriptions.inc(change),
    reloaded: (outcome) => counts.reloads.inc({ outcome }),
    setReadings(given) {
      readings = given;
    },
  };
}

function createCounts(registry: Registry) {
  const registers = [registry];
  const durations = (name: string, help: string, labelNames: readonly string[]) =>
    createDurations(registry, PREFIX + name, help, labelNames);
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: PREFIX + name, help, labelNames: [...labelNames], registers });
  return {
    operations: durations('operation_duration_seconds', 'Queries and mutations, refused ones among them.', [
      'kind',
      'transport',
      'outcome',
    ]),
    fetches: durations('fetch_duration_seconds', 'Requests to subgraphs.', ['subgraph', 'outcome']),
    prepared: durations('prepare_duration_seconds', 'Operations that were parsed, validated and planned.', [
      'outcome',
    ]),
    shared: counter('shared_fetches_total', 'Fetches answered by an equal one that was under way.', [
      'subgraph',
    ]),
    subscriptions: counter('subscriptions_total', 'Subscriptions that have ended.', ['outcome']),
    reloads: counter('reloads_total', 'Reloads of the graph.', ['outcome']),
    cost: createHistogram(registry, {
      name: `${PREFIX}operation_cost`,
      help: 'What operations were reckoned to cost.',
      labelNames: [],
      buckets: [1, 10, 100, 1_000, 10_000, 100_000],
    }),
    openSubscriptions: new Gauge({
      name: `${PREFIX}subscriptions`,
      help: 'Subscriptions that run.',
      registers,
    }),
  };
}

const BREAKER_STATES = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

const LIVE_GAUGES: readonly [name: string, help: string, read: (live: LiveReadings) => number][] = [
  ['live_streams', 'Subscriptions that stand in a stream of the event log.', ({ streams }) => streams],
  ['live_topics', 'Topics of the event log that are being read.', ({ topics }) => topics],
  ['live_groups', 'Groups of subscribers that are served alike.', ({ groups }) => groups],
  ['live_members', 'Subscribers of all groups.', ({ members }) => members],
  ['live_slow_members', 'Subscribers whose transport is full.', ({ slow }) => slow],
];

const LIVE_COUNTERS: readonly [name: string, help: string, read: (live: LiveReadings) => number][] = [
  [
    'live_events_total',
    'Events that passed the filter of a group, once for each group.',
    ({ events }) => events,
  ],
  ['live_deliveries_total', 'Results that were handed to subscribers.', ({ deliveries }) => deliveries],
  ['live_slow_gaps_total', 'Gaps told to subscribers that were too slow.', ({ slowGaps }) => slowGaps],
];

const UPSTREAM_GAUGES: readonly [name: string, help: string, read: (all: UpstreamReadings) => number][] = [
  [
    'upstream_subscriptions',
    'Subscriptions that are open at subgraphs.',
    ({ subscriptions }) => subscriptions,
  ],
  ['upstream_listeners', 'Subscribers that share them.', ({ listeners }) => listeners],
  ['upstream_connections', 'WebSockets and streams to subgraphs.', ({ connections }) => connections],
];

function registerLive(registry: Registry, readings: () => GatewayReadings | undefined): void {
  const registers = [registry];
  for (const [name, help, read] of LIVE_GAUGES) {
    new Gauge({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        const live = readings()?.live();
        this.set(live === undefined ? 0 : read(live));
      },
    });
  }
  for (const [name, help, read] of LIVE_COUNTERS) {
    new Counter({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        const live = readings()?.live();
        this.reset();
        this.inc(live === undefined ? 0 : read(live));
      },
    });
  }
  for (const [name, help, read] of UPSTREAM_GAUGES) {
    new Gauge({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        const upstreams = readings()?.upstreams();
        this.set(upstreams === undefined ? 0 : read(upstreams));
      },
    });
  }
}

function registerReadings(
  registry: Registry,
  readings: () => GatewayReadings | undefined,
  lookups: Readonly<Record<'hit' | 'pending' | 'miss', number>>,
): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: (readings: GatewayReadings) => number | undefined) =>
    new Gauge({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        const now = readings();
        this.set((now === undefined ? undefined : read(now)) ?? 0);
      },
    });
  gauge('planner_queue', 'Operations that wait to be planned.', ({ engine }) => engine()?.planQueue);
  gauge(
    'planner_cache_entries',
    'Prepared operations that are kept.',
    ({ engine }) => engine()?.cachedOperations,
  );
  gauge('websocket_connections', 'Open WebSockets.', ({ sockets }) => sockets());
  registerLive(registry, readings);
  gauge(
    'generation_loaded_timestamp_seconds',
    'When the graph that is served was loaded.',
    ({ generation }) => generation().loadedAt.getTime() / 1_000,
  );
  new Gauge({
    name: `${PREFIX}breaker_state`,
    help: 'The circuit breaker of each subgraph: 0 closed, 1 probing, 2 open.',
    labelNames: ['subgraph'],
    registers,
    collect() {
      this.reset();
      for (const { system, state } of readings()?.engine()?.breakers ?? [])
        this.set({ subgraph: system }, BREAKER_STATES[state]);
    },
  });
  new Gauge({
    name: `${PREFIX}subgraph_drift`,
    help: 'Differences of a live subgraph from what is registered; none: nothing.',
    labelNames: ['subgraph'],
    registers,
    collect() {
      this.reset();
      for (const [subgraph, differences] of readings()?.drift() ?? [])
        this.set({ subgraph }, differences.length);
    },
  });
  new Gauge({
    name: `${PREFIX}generation_info`,
    help: 'The graph that is served, by its hash.',
    labelNames: ['id'],
    registers,
    collect() {
      this.reset();
      const id = readings()?.generation().id;
      if (id !== undefined) this.set({ id }, 1);
    },
  });
  new Counter({
    name: `${PREFIX}planner_cache_lookups_total`,
    help: 'Operations that were known, being planned for another, or neither.',
    labelNames: ['found'],
    registers,
    collect() {
      this.reset();
      for (const found of ['hit', 'pending', 'miss'] as const) this.inc({ found }, lookups[found]);
    },
  });
}
