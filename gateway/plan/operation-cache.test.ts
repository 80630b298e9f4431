import { describe, expect, it } from 'vitest';
import type { Authority } from '../authority/authority.ts';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';
import { createOperationCache, type OperationKey } from './operation-cache.ts';

const keyOf = (query: string, more: Partial<OperationKey> = {}): OperationKey => ({
  query,
  operationName: undefined,
  labels: [],
  principal: ANONYMOUS,
  ...more,
});
const known: Principal = { ...ANONYMOUS, isAuthenticated: true, id: 'known' };

/** Rule 0 is met by those who are known, rule 1 by nobody. */
const AUTHORITY = {
  hasRules: true,
  rules: { requirements: [{}, {}] },
  grantsOf: ({ isAuthenticated }: Principal) => ({
    keyFor: (used: readonly number[]) =>
      used.includes(1) || (used.includes(0) && !isAuthenticated) ? `${isAuthenticated} ${used.join()}` : '',
  }),
} as unknown as Authority;

describe('createOperationCache', () => {
  it('tells operations of one text apart by name and by labels, whatever a client calls them', () => {
    const cache = createOperationCache<number>(20, undefined);
    const keys = [
      keyOf('{ a }'),
      keyOf('{ a }', { operationName: '' }),
      keyOf('{ a }', { operationName: 'A' }),
      keyOf('{ a }', { operationName: '","A' }),
      keyOf('{ a }', { labels: ['A'] }),
      keyOf('{ a }', { labels: ['A'], operationName: 'A' }),
      keyOf('{ a }', { labels: ['A', 'B'] }),
      keyOf('{ b }'),
    ];
    for (const [index, key] of keys.entries()) cache.set(key, [], index);
    expect(keys.map((key) => cache.get(key))).toEqual(keys.map((_, index) => index));
    expect(cache.size).toBe(keys.length);
    expect(new Set(keys.map((key) => cache.keyOfUnknown(key))).size).toBe(keys.length);
  });

  it('gives those who may have the same of a text the same, and others nothing of theirs', () => {
    const cache = createOperationCache<string>(20, AUTHORITY);
    cache.set(keyOf('{ guarded }', { principal: known }), [0], 'all');
    expect(cache.get(keyOf('{ guarded }', { principal: known }))).toBe('all');
    expect(cache.get(keyOf('{ guarded }'))).toBeUndefined();
    cache.set(keyOf('{ guarded }'), [0], 'less');
    expect(cache.get(keyOf('{ guarded }'))).toBe('less');
    expect(cache.get(keyOf('{ guarded }', { principal: known }))).toBe('all');
    cache.set(keyOf('{ open }'), [], 'open');
    expect(cache.get(keyOf('{ open }', { principal: known }))).toBe('open');
    expect(cache.keyOfUnknown(keyOf('{ new }'))).not.toBe(
      cache.keyOfUnknown(keyOf('{ new }', { principal: known })),
    );
  });

  it('keeps so many, and of texts that were not asked for lately none', () => {
    const cache = createOperationCache<number>(3, undefined);
    for (const n of [1, 2, 3]) cache.set(keyOf(`{ q${n} }`), [], n);
    cache.get(keyOf('{ q1 }'));
    cache.set(keyOf('{ q4 }'), [], 4);
    expect(cache.size).toBe(3);
    expect([1, 2, 3, 4].map((n) => cache.get(keyOf(`{ q${n} }`)))).toEqual([1, undefined, 3, 4]);
    cache.set(keyOf('{ q5 }'), [], 5);
    expect(cache.size).toBe(3);
    expect(cache.get(keyOf('{ q5 }'))).toBe(5);
  });

  it('keeps no more variants of one text than of many', () => {
    const cache = createOperationCache<number>(3, undefined);
    for (let n = 0; n < 10; n += 1) cache.set(keyOf('{ a }', { operationName: `N${n}` }), [], n);
    expect(cache.size).toBe(3);
    expect(cache.get(keyOf('{ a }', { operationName: 'N9' }))).toBe(9);
    expect(cache.get(keyOf('{ a }', { operationName: 'N0' }))).toBeUndefined();
    cache.set(keyOf('{ b }'), [], 10);
    expect(cache.size).toBeLessThanOrEqual(3);
    expect(cache.get(keyOf('{ b }'))).toBe(10);
  });
});
