import { describe, expect, it } from 'vitest';
import { createPrincipal } from './principal.ts';
import { createTokenCache } from './token-cache.ts';

const principal = (subject: string, expiresAtMs?: number) => createPrincipal({ subject, expiresAtMs });

describe('the cache of verified tokens', () => {
  it('gives each token its own principal', () => {
    const cache = createTokenCache(1_000);
    const tokens = Array.from({ length: 500 }, (_, n) => `header.payload${n}.signature`);
    for (const token of tokens) cache.set(cache.keyOf(token), principal(token));
    for (const token of tokens) expect(cache.get(cache.keyOf(token))?.subject).toBe(token);
    expect(cache.get(cache.keyOf('header.payload0.signaturE'))).toBeUndefined();
  });

  it('forgets a token when it ends', () => {
    let now = 0;
    const cache = createTokenCache(10, () => now);
    cache.set('key', principal('a', 100));
    now = 99;
    expect(cache.get('key')?.subject).toBe('a');
    now = 100;
    expect(cache.get('key')).toBeUndefined();
    expect(cache.size()).toBe(0);
  });

  it('holds so many and no more: the oldest goes', () => {
    const cache = createTokenCache(2);
    for (const name of ['a', 'b', 'c']) cache.set(name, principal(name));
    expect(cache.size()).toBe(2);
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('c')?.subject).toBe('c');
  });

  it('keeps no token', () => {
    const cache = createTokenCache(2);
    expect(cache.keyOf('secret')).not.toContain('secret');
    expect(Buffer.from(cache.keyOf('secret'), 'base64')).toHaveLength(32);
  });
});
