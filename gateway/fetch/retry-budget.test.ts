import { describe, expect, it } from 'vitest';
import { createRetryBudget } from './retry-budget.ts';

const OPTIONS = { ratio: 0.1, reserve: 2, retriesMax: 5 };

describe('a retry budget', () => {
  it('gives its reserve and a tenth of the calls, and no more', () => {
    const budget = createRetryBudget(OPTIONS);
    let retries = 0;
    for (let calls = 0; calls < 1_000; calls += 1) {
      budget.deposit();
      if (budget.withdraw()) retries += 1;
    }
    expect(retries).toBeGreaterThanOrEqual(100);
    expect(retries).toBeLessThanOrEqual(102);
  });

  it('saves no more than its bound for a bad time', () => {
    const budget = createRetryBudget(OPTIONS);
    for (let calls = 0; calls < 1_000; calls += 1) budget.deposit();
    expect(Array.from({ length: 8 }, () => budget.withdraw()).filter(Boolean)).toHaveLength(5);
  });
});
