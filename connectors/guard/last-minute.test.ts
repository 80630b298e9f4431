import { describe, expect, it } from 'vitest';
import { createLastMinute } from './last-minute.ts';

describe('the count of the last minute', () => {
  it('holds what happened in it, and lets go of each second after sixty', () => {
    let nowMs = 5_400;
    const calls = createLastMinute(() => nowMs);
    calls.add();
    calls.add();
    nowMs += 30_000;
    calls.add();
    expect(calls.count()).toBe(3);
    nowMs = 64_999;
    expect(calls.count()).toBe(3);
    nowMs = 65_000;
    expect(calls.count()).toBe(1);
    nowMs += 3_600_000;
    expect(calls.count()).toBe(0);
    calls.add();
    expect(calls.count()).toBe(1);
  });
});
