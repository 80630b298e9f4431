import { describe, expect, it } from 'vitest';
import { createBackOff } from './back-off.ts';

const LIMITS = { retryDelayMsMin: 100, retryDelayMsMax: 1_000, stableMs: 5_000 };

function backOffAt(random: number) {
  const clock = { nowMs: 0 };
  return {
    clock,
    backOff: createBackOff(
      LIMITS,
      () => clock.nowMs,
      () => random,
    ),
  };
}

describe('a back-off', () => {
  it('doubles up to its maximum, and never goes on from there', () => {
    const { backOff } = backOffAt(1);
    expect(Array.from({ length: 6 }, () => backOff.nextDelayMs())).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    for (let n = 0; n < 2_000; n += 1) backOff.nextDelayMs();
    expect(backOff.nextDelayMs()).toBe(1_000);
  });

  it('waits between half of the delay and all of it', () => {
    expect(backOffAt(0).backOff.nextDelayMs()).toBe(50);
    expect(backOffAt(0.5).backOff.nextDelayMs()).toBe(75);
  });

  it('begins anew after a connection that held, and not after one that did not', () => {
    const { backOff, clock } = backOffAt(1);
    backOff.nextDelayMs();
    backOff.established();
    clock.nowMs += 4_999;
    expect(backOff.nextDelayMs()).toBe(200);
    backOff.established();
    clock.nowMs += 5_000;
    expect(backOff.nextDelayMs()).toBe(100);
  });

  it('takes what a server asks for, up to its maximum', () => {
    const { backOff } = backOffAt(1);
    backOff.atLeast(700);
    expect(backOff.nextDelayMs()).toBe(700);
    backOff.atLeast(3_600_000);
    expect(backOff.nextDelayMs()).toBe(1_000);
  });
});
