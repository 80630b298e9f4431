import { describe, expect, it } from 'vitest';
import { arrivalsMax, createArrivals } from './arrivals.ts';
import { ARRIVALS_MS, LATE_ARRIVAL_MS_MAX } from './limits.ts';

describe('the calls that may have arrived within the last second', () => {
  it('count while they are out, and for a second after their answer', () => {
    let nowMs = 0;
    const arrivals = createArrivals(
      () => 2,
      () => nowMs,
    );
    expect(arrivals.waitMs(1)).toBe(0);
    expect(arrivals.waitMs(2)).toBeUndefined();
    arrivals.left('a', true);
    expect(arrivals.waitMs(1)).toBe(ARRIVALS_MS);
    nowMs = ARRIVALS_MS - 1;
    expect(arrivals.waitMs(1)).toBe(1);
    nowMs = ARRIVALS_MS;
    expect(arrivals.waitMs(1)).toBe(0);
  });

  it('count for longer when they were not answered: they may still be on their way', () => {
    let nowMs = 0;
    const arrivals = createArrivals(
      () => 1,
      () => nowMs,
    );
    arrivals.left('a', false);
    arrivals.left('b', true);
    expect(arrivals.counted()).toEqual([
      ['a', ARRIVALS_MS + LATE_ARRIVAL_MS_MAX],
      ['b', ARRIVALS_MS],
    ]);
    nowMs = ARRIVALS_MS;
    expect(arrivals.waitMs(0)).toBe(LATE_ARRIVAL_MS_MAX);
    nowMs += LATE_ARRIVAL_MS_MAX;
    expect(arrivals.waitMs(0)).toBe(0);
    expect(arrivals.counted()).toEqual([]);
  });

  it('are one at least, however small the rate', () => {
    expect(arrivalsMax({ perSecond: 0.1, burst: 0.5 })).toBe(1);
    expect(arrivalsMax({ perSecond: 20, burst: 4 })).toBe(24);
  });
});
