import { describe, expect, it } from 'vitest';
import { createSample } from './sample.ts';

describe('sample of calls', () => {
  it('counts the calls of its span and forgets older ones', () => {
    const sample = createSample(100, 10);
    sample.add(true, 0);
    sample.add(false, 50);
    expect([sample.calls, sample.failures]).toEqual([2, 1]);
    sample.add(false, 100);
    expect([sample.calls, sample.failures]).toEqual([2, 0]);
    sample.add(true, 1_000);
    expect([sample.calls, sample.failures]).toEqual([1, 1]);
    sample.clear();
    expect([sample.calls, sample.failures]).toEqual([0, 0]);
  });

  it('counts as a list of all calls does, over many turns of the ring', () => {
    const sample = createSample(40, 8);
    const all: { readonly atMs: number; readonly isFailure: boolean }[] = [];
    for (let step = 0; step < 500; step += 1) {
      const atMs = step * (1 + ((step * 7) % 11));
      const nowMs = Math.max(atMs, all.at(-1)?.atMs ?? 0);
      const isFailure = (step * 13) % 5 < 2;
      all.push({ atMs: nowMs, isFailure });
      sample.add(isFailure, nowMs);
      const kept = all.filter((call) => nowMs - call.atMs < 40).slice(-8);
      expect(sample.calls).toBe(kept.length);
      expect(sample.failures).toBe(kept.filter((call) => call.isFailure).length);
    }
  });
});
