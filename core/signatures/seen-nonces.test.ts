import { describe, expect, it } from 'vitest';
import { createSeenNonces } from './seen-nonces.ts';

describe('the nonces that were seen', () => {
  it('are forgotten when their second is out of the window, and never sooner', () => {
    const nonces = createSeenNonces(60, 1_000);
    for (let second = 0; second < 200; second += 1) {
      expect(nonces.use('n', second, second)).toBe(true);
      if (second >= 60) expect(nonces.use('n', second - 60, second)).toBe(false);
    }
    expect(nonces.size).toBe(61);
  });

  it('stay refused when the clock goes back', () => {
    const nonces = createSeenNonces(60, 1_000);
    expect(nonces.use('n', 1_000, 1_000)).toBe(true);
    expect(nonces.use('m', 1_300, 1_300)).toBe(true);
    expect(nonces.use('n', 1_000, 1_000)).toBe(false);
  });

  it('are never more than their limit', () => {
    const nonces = createSeenNonces(60, 10);
    for (let count = 0; count < 100; count += 1) nonces.use(`n${count}`, 100 + Math.floor(count / 3), 120);
    expect(nonces.size).toBeLessThanOrEqual(10);
  });
});
