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
  /** Subscriptions that stand in a stream of the event log. */
  liveStreams(): number;
  /** Topics of the event log that are being read. */
  topics(): number;
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
  gauge('live_streams', 'Subscriptions that stand in a stream of the event log.', ({ liveStreams }) =>
    liveStreams(),
  );
  gauge('live_topics', 'Topics of the event log that are being read.', ({ topics }) => topics());
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
