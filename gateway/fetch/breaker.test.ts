import { describe, expect, it } from 'vitest';
import { type BreakerState, createBreaker } from './breaker.ts';

function breakerAt() {
  const clock = { nowMs: 0 };
  const changes: BreakerState[] = [];
  const breaker = createBreaker({
    failuresMax: 3,
    probeIntervalMs: 1_000,
    onChange: (state) => changes.push(state),
    now: () => clock.nowMs,
  });
  const fail = (times: number) => {
    for (let count = 0; count < times; count += 1) breaker.recordFailure();
  };
  return { breaker, clock, changes, fail };
}

describe('a breaker', () => {
  it('opens after so many failures in a row, and not before', () => {
    const { breaker, fail } = breakerAt();
    fail(2);
    expect(breaker.admits()).toBe(true);
    fail(1);
    expect(breaker.admits()).toBe(false);
    expect(breaker.state).toBe('OPEN');
  });

  it('forgets failures at a success', () => {
    const { breaker, fail } = breakerAt();
    fail(2);
    breaker.recordSuccess();
    fail(2);
    expect(breaker.state).toBe('CLOSED');
  });

  it('lets one probe through in each interval, also while the last probe hangs', () => {
    const { breaker, clock, fail } = breakerAt();
    fail(3);
    clock.nowMs = 999;
    expect(breaker.admits()).toBe(false);
    clock.nowMs = 1_000;
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
    expect(breaker.state).toBe('HALF_OPEN');
    clock.nowMs = 2_000;
    expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
  });

  it('stays open when the probe fails, and closes when it succeeds', () => {
    const { breaker, clock, changes, fail } = breakerAt();
    fail(3);
    clock.nowMs = 1_000;
    breaker.admits();
    fail(1);
    expect(breaker.admits()).toBe(false);
    clock.nowMs = 2_000;
    breaker.admits();
    breaker.recordSuccess();
    expect([breaker.admits(), breaker.admits()]).toEqual([true, true]);
    expect(changes).toEqual(['OPEN', 'HALF_OPEN', 'OPEN', 'HALF_OPEN', 'CLOSED']);
  });
});
