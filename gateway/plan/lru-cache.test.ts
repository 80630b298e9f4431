// Laws of the plan cache.
import { describe, expect, it } from 'vitest';
import { createLruCache } from './lru-cache.ts';

describe('the LRU cache', () => {
  it('drops the entry that was not used for longest, and counts reading as use', () => {
    const cache = createLruCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  });

  it('replaces an entry without dropping another', () => {
    const cache = createLruCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.set('b', 3);
    expect([cache.get('a'), cache.get('b')]).toEqual([1, 3]);
  });
});
