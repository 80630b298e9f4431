import { describe, expect, it } from 'vitest';
import { backOffMs, pause } from './back-off.ts';

const LIMITS = { backOffMsMin: 500, backOffMsMax: 15_000 };

describe('the wait before the next try', () => {
  it('is none at first, doubles up to its maximum, and is by chance in its upper half', () => {
    expect(backOffMs(0, LIMITS)).toBe(0);
    const [least, most] = [0, 1].map((chance) =>
      [1, 2, 3, 6, 60].map((n) => backOffMs(n, LIMITS, () => chance)),
    );
    expect(most).toEqual([500, 1_000, 2_000, 15_000, 15_000]);
    expect(least).toEqual([250, 500, 1_000, 7_500, 7_500]);
  });

  it('is cut short by an abort', async () => {
    const controller = new AbortController();
    const paused = pause(60_000, controller.signal);
    controller.abort();
    await paused;
  });
});
