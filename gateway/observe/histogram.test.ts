import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createDurations, createHistogram } from './histogram.ts';

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

describe('createDurations', () => {
  it('is written for Prometheus as a histogram of prom-client is', async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const durations = createDurations(ours, 'd_seconds', 'Durations.', ['subgraph', 'outcome']);
    const histogram = new Histogram({
      name: 'd_seconds',
      help: 'Durations.',
      labelNames: ['subgraph', 'outcome'],
      buckets: BUCKETS,
      registers: [theirs],
    });
    for (const ms of [0, 2, 2.5, 64, 1_000, 16_000, 1e6]) {
      for (const [subgraph, outcome] of [
        ['orders', 'ok'],
        ['po"lice\n', 'errors'],
      ] as const) {
        durations.observe(ms, subgraph, outcome);
        histogram.observe({ subgraph, outcome }, ms / 1_000);
      }
    }
    const sorted = async (registry: Registry) => withLabelsSorted(await registry.metrics());
    expect(await sorted(ours)).toEqual(await sorted(theirs));
  });

  it('has no series before the first duration', async () => {
    const registry = new Registry();
    createDurations(registry, 'd_seconds', 'Durations.', []);
    expect(await registry.metrics()).toBe('# HELP d_seconds Durations.\n# TYPE d_seconds histogram\n');
  });
});

describe('createHistogram', () => {
  it('is written for Prometheus as a histogram of prom-client without labels is', async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const options = { name: 'costs', help: 'Costs.', buckets: [1, 10, 100] };
    const own = createHistogram(ours, { ...options, labelNames: [] });
    const histogram = new Histogram({ ...options, registers: [theirs] });
    for (const value of [0, 1, 1.5, 10, 99, 100, 101, 1e9]) {
      own.observe(value);
      histogram.observe(value);
    }
    expect(withLabelsSorted(await ours.metrics())).toEqual(withLabelsSorted(await theirs.metrics()));
  });
});

/** The order of labels means nothing. */
function withLabelsSorted(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line.replace(/\{(.*)\}/, (_all, labels: string) => `{${labels.split(',').toSorted().join(',')}}`),
    );
}
