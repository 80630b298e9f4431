// A histogram of durations that is cheap to add to: prom-client's own checks and hashes its labels at every observation, half a microsecond each.
import type { Metric, Registry } from 'prom-client';

export interface Durations {
  /** @param labels values in the order of the names, each of a closed list */
  observe(durationMs: number, ...labels: readonly string[]): void;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** By bucket, not cumulated; the last is of what is longer than all. */
  readonly counts: number[];
  sumMs: number;
}

/** Seconds: from a cached answer of one subgraph to the longest that an operation may take. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15] as const;
const BOUNDS_MS = BUCKETS.map((seconds) => seconds * 1_000);

/** As a metric of the registry, in seconds. */
export function createDurations(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
): Durations {
  const series = new Map<string, Series>();
  const metric = {
    name,
    help,
    type: 'histogram',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      values: [...series.values()].flatMap(valuesOf(name)),
    }),
  };
  // A registry asks a metric for its name and its values, and nothing else of what the class has.
  registry.registerMetric(metric as unknown as Metric);
  return {
    observe(durationMs, ...labels) {
      const key = labels.join('\n');
      let one = series.get(key);
      if (one === undefined) {
        one = { labels: labelled(labelNames, labels), counts: BOUNDS_MS.map(() => 0).concat(0), sumMs: 0 };
        series.set(key, one);
      }
      one.sumMs += durationMs;
      let bucket = 0;
      while (bucket < BOUNDS_MS.length && durationMs > (BOUNDS_MS[bucket] ?? 0)) bucket += 1;
      one.counts[bucket] = (one.counts[bucket] ?? 0) + 1;
    },
  };
}

function labelled(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

interface Value {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#histograms-and-summaries */
function valuesOf(name: string): (series: Series) => readonly Value[] {
  return ({ labels, counts, sumMs }) => {
    let count = 0;
    const buckets = counts.map((own, index): Value => {
      count += own;
      return {
        metricName: `${name}_bucket`,
        labels: { ...labels, le: BUCKETS[index] ?? '+Inf' },
        value: count,
      };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sumMs / 1_000 },
      { metricName: `${name}_count`, labels, value: count },
    ];
  };
}
