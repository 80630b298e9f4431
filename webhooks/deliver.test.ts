import { describe, expect, it } from 'vitest';
import { retryDelayMs } from './deliver.ts';

describe('the pause before another attempt', () => {
  const bounds = { retryDelayMsMin: 1_000, retryDelayMsMax: 60_000 };

  it('doubles up to its longest, of which chance takes up to a half', () => {
    const all = [1, 2, 3, 7, 8, 100].map((attempt) => [
      retryDelayMs(bounds, attempt, 0, 0),
      retryDelayMs(bounds, attempt, 0, 1),
    ]);
    expect(all).toEqual([
      [500, 1_000],
      [1_000, 2_000],
      [2_000, 4_000],
      [30_000, 60_000],
      [30_000, 60_000],
      [30_000, 60_000],
    ]);
  });

  it('is as long as the receiver asks for, and no longer than any may be', () => {
    expect(retryDelayMs(bounds, 1, 5_000, 1)).toBe(5_000);
    expect(retryDelayMs(bounds, 1, 86_400_000, 1)).toBe(600_000);
  });
});
