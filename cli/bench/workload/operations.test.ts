import { describe, expect, it } from 'vitest';
import { canonicalJson, expectedData } from './operations.ts';

describe('the workload', () => {
  it('has a federated answer of about 87 kB', () => {
    const bytes = Buffer.byteLength(JSON.stringify({ data: expectedData('federated') }));
    expect(bytes).toBeGreaterThan(84_000);
    expect(bytes).toBeLessThan(90_000);
  });

  it('has a single answer of five products', () => {
    expect((expectedData('single') as { topProducts: unknown[] }).topProducts).toHaveLength(5);
  });
});

describe('canonicalJson', () => {
  it('is equal for equal answers with their fields in another order', () => {
    expect(canonicalJson({ a: [{ c: 1, b: null }], d: 'x' })).toBe(
      canonicalJson({ d: 'x', a: [{ b: null, c: 1 }] }),
    );
  });

  it('tells lists in another order, null and absent, and number and string apart', () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    expect(canonicalJson({ a: null })).not.toBe(canonicalJson({}));
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }));
  });
});
