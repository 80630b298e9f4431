// A histogram that is cheap to add to: prom-client's own checks and hashes its labels at every observation, half a microsecond each.
import type { Metric, Registry } from 'prom-client';

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds, rising, in the unit that Prometheus reads. */
  readonly buckets: readonly number[];
  /** Of what is observed in that unit: 1,000 where milliseconds are observed and seconds are read. Default 1. */
  readonly perUnit?: number;
}

export interface Histogram {
  /** @param labels values in the order of the names, each of a closed list */
  observe(value: number, ...labels: readonly string[]): void;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** By bucket, not cumulated; the last is of what is above all. */
  readonly counts: number[];
  sum: number;
}

/** By the value of one label, what follows it: a text of all of them would be made and hashed anew each time. */
interface Branch {
  readonly below: Map<string, Branch>;
  series: Series | undefined;
}

/** As a metric of the registry. */
export function createHistogram(registry: Registry, options: HistogramOptions): Histogram {
  const { name, help, labelNames, buckets, perUnit = 1 } = options;
  const bounds = buckets.map((bound) => bound * perUnit);
  const root: Branch = { below: new Map(), series: undefined };
  const all: Series[] = [];
  const metric = {
    name,
    help,
    type: 'histogram',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      values: all.flatMap((series) => valuesOf(name, buckets, perUnit, series)),
    }),
  };
  // A registry asks a metric for its name and its values, and nothing else of what the class has.
  registry.registerMetric(metric as unknown as Metric);
  const seriesOf = (branch: Branch, labels: readonly string[]): Series => {
    if (branch.series !== undefined) return branch.series;
    branch.series = { labels: labelled(labelNames, labels), counts: bounds.map(() => 0).concat(0), sum: 0 };
    all.push(branch.series);
    return branch.series;
  };
  return {
    observe(value, ...labels) {
      let branch = root;
      for (const label of labels)
        branch = branch.below.getOrInsertComputed(label, () => ({ below: new Map(), series: undefined }));
      const series = seriesOf(branch, labels);
      series.sum += value;
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    },
  };
}

/** Seconds: from a cached answer of one subgraph to the longest that an operation may take. */
const DURATION_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15] as const;
const MS_PER_SECOND = 1_000;

/** Milliseconds are observed, seconds are read. */
export function createDurations(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
): Histogram {
  const [buckets, perUnit] = [DURATION_BUCKETS, MS_PER_SECOND];
  return createHistogram(registry, { name, help, labelNames, buckets, perUnit });
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
function valuesOf(
  name: string,
  bounds: readonly number[],
  perUnit: number,
  { labels, counts, sum }: Series,
): readonly Value[] {
  let count = 0;
  const buckets = counts.map((own, index): Value => {
    count += own;
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bounds[index] ?? '+Inf' },
      value: count,
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum / perUnit },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
