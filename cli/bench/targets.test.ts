import { describe, expect, it } from 'vitest';
import { CANDIDATES } from './candidates.ts';
import type { Measurement } from './measurement.ts';
import { judgeTargets } from './targets.ts';
import type { QueryName } from './workload/operations.ts';

function measured(
  candidate: string,
  query: QueryName,
  requestsPerSecond: readonly number[],
  more: Partial<Measurement> = {},
): readonly Measurement[] {
  return requestsPerSecond.map((figure, index) => ({
    candidate,
    query,
    round: index + 1,
    requestsPerSecond: figure,
    p50Ms: 1,
    p99Ms: 2,
    cpuMsPerRequest: 1,
    rssPeakMiB: 100,
    rssAtOnceMiB: 100,
    fetchesPerRequest: 13,
    fetchesAlone: 13,
    subgraphMisses: 0,
    gatewayShare: 1,
    foreignShare: 0,
    loadCoreShare: 0.5,
    readyMs: 100,
    answerBytes: 1_000,
    ...more,
  }));
}

function verdictOf(measurements: readonly Measurement[], title: string) {
  return judgeTargets(measurements, CANDIDATES).find((target) => target.title.startsWith(title));
}

describe('judgeTargets', () => {
  it('divides figures of the same round, so that a slow round does not count against one of the two', () => {
    const figures = [
      ...measured('weft', 'federated', [110, 55, 110]),
      ...measured('limit-paths', 'federated', [100, 50, 100]),
    ];
    const target = verdictOf(figures, 'federated: hand-written program, 13 fetches');
    expect(target?.ratio?.min).toBeCloseTo(1.1);
    expect(target?.ratio?.max).toBeCloseTo(1.1);
    expect(target?.verdict).toBe('met');
  });

  it('misses a bound by the least', () => {
    const figures = [...measured('weft', 'single', [649]), ...measured('limit-proxy', 'single', [1_000])];
    expect(verdictOf(figures, 'single: bare reverse proxy')?.verdict).toBe('missed');
  });

  it('holds peak memory against an upper bound', () => {
    const limit = measured('limit-paths', 'federated', [1]);
    const at = (rssPeakMiB: number) =>
      verdictOf([...measured('weft', 'federated', [1], { rssPeakMiB }), ...limit], 'federated: peak RSS')
        ?.verdict;
    expect([at(125), at(126)]).toEqual(['met', 'missed']);
  });

  it('compares with the hand-written program that makes as many fetches', () => {
    const figures = [
      ...measured('weft', 'federated', [90], { fetchesAlone: 5 }),
      ...measured('limit-paths', 'federated', [10], { fetchesAlone: 13 }),
      ...measured('limit-merged', 'federated', [10], { fetchesAlone: 7 }),
      ...measured('limit-reused', 'federated', [100], { fetchesAlone: 4 }),
    ];
    const target = verdictOf(figures, 'federated: hand-written program with the same number');
    expect(target?.title).toContain('limit-reused');
    expect(target?.ratio?.median).toBeCloseTo(0.9);
  });

  it('leaves out peers that share answers between requests', () => {
    const figures = [
      ...measured('weft', 'federated', [600]),
      ...measured('hive-js', 'federated', [100]),
      ...measured('hive-rust', 'federated', [200]),
      ...measured('hive-rust-shared', 'federated', [9_000]),
    ];
    const target = verdictOf(figures, 'federated: best Hive Gateway');
    expect(target?.title).toContain('`hive-rust`');
    expect(target?.verdict).toBe('met');
  });

  it('says so of what was not measured', () => {
    const target = verdictOf(measured('weft', 'federated', [1]), 'federated: @apollo/gateway');
    expect(target).toMatchObject({ ratio: undefined, verdict: 'not measured' });
  });
});
