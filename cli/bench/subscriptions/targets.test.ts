import { describe, expect, it } from 'vitest';
import type { LiveMeasurement } from './measurement.ts';
import { judgeLive } from './targets.ts';

const RUN: LiveMeasurement = {
  candidate: 'bare-ws',
  shape: 'groups',
  round: 1,
  expected: 1_000,
  delivered: 1_000,
  deliveriesPerSecond: 1_000,
  duplicates: 0,
  misordered: 0,
  p50Ms: 1,
  p99Ms: 2,
  maxMs: 3,
  dueP99Ms: 2,
  bunchedShare: 0,
  fetchesPerEvent: undefined,
  cpuShare: 0.5,
  besideCpuShare: undefined,
  foreignShare: 0,
  loadCoreShare: 0.5,
  clientShare: 0.5,
  kibPerConnection: 10,
  rssMiB: 100,
  rssPeakMiB: 100,
  deliveryBytes: 300,
};
const runs = (more: Partial<LiveMeasurement>, p99s: readonly number[]) =>
  p99s.map((p99Ms, index) => ({ ...RUN, ...more, round: index + 1, p99Ms }));
const weft = (more: Partial<LiveMeasurement>, p99s: readonly number[]) =>
  runs({ candidate: 'weft-redis', fetchesPerEvent: 2, ...more }, p99s);
const verdicts = (measurements: readonly LiveMeasurement[]) =>
  Object.fromEntries(judgeLive(measurements).map(({ title, verdict }) => [title, verdict]));

describe('judgeLive', () => {
  it('holds p99 against the bare broadcast of the same round, three times for groups and twice for all', () => {
    const groups = [...runs({}, [1, 10]), ...weft({}, [3, 30])];
    expect(verdicts(groups)).toEqual({
      'groups, weft-redis: deliveries to those that are due': 'met',
      'groups, weft-redis: p99': 'met',
      'groups, weft-redis: entity fetches an event, not to bare': 'met',
      'groups, weft-redis: KiB a connection, not to bare': 'met',
    });
    const broadcast = groups.map((run) => ({ ...run, shape: 'broadcast' as const }));
    expect(verdicts(broadcast)).toMatchObject({
      'broadcast, weft-redis: p99': 'missed',
      'broadcast, weft-redis: processor time': 'met',
    });
  });

  it.each([
    ['deliveries to those that are due', { delivered: 999 }],
    ['entity fetches an event, not to bare', { fetchesPerEvent: 2.006 }],
    ['KiB a connection, not to bare', { kibPerConnection: 16.1 }],
    ['processor time', { cpuShare: 0.86 }],
  ])('misses %s', (what, more) => {
    const verdictOf = (own: Partial<LiveMeasurement>) =>
      verdicts([...runs({ shape: 'broadcast' }, [2]), ...weft({ shape: 'broadcast', ...own }, [2])])[
        `broadcast, weft-redis: ${what}`
      ];
    expect(verdictOf(more)).toBe('missed');
    expect(verdictOf({})).toBe('met');
  });

  it('has all deliveries due in each round', () => {
    const [first, ...others] = weft({}, [1, 1, 1]);
    const lossy = [{ ...(first ?? expect.fail()), delivered: 999 }, ...others];
    expect(verdicts(lossy)['groups, weft-redis: deliveries to those that are due']).toBe('missed');
  });

  it('says nothing of rows that were not measured, and that a bare one was not', () => {
    expect(judgeLive(runs({}, [1]))).toEqual([]);
    expect(verdicts(weft({}, [1]))['groups, weft-redis: p99']).toBe('not measured');
  });
});
