// Verified tokens, so that a token that is known costs neither a signature check nor a wait.
import { hash } from 'node:crypto';
import type { Principal } from './principal.ts';

export interface TokenCache {
  /** What a token is remembered by: the tokens themselves are nowhere in memory for longer than their request. */
  keyOf(token: string): string;
  get(key: string): Principal | undefined;
  set(key: string, principal: Principal): void;
  clear(): void;
  size(): number;
}

/** Holds at most `entriesMax`, each until its principal's credentials end. */
export function createTokenCache(entriesMax: number, now: () => number = Date.now): TokenCache {
  const entries = new Map<string, Principal>();
  return {
    keyOf: (token) => hash('sha256', token, 'base64'),
    get(key) {
      const principal = entries.get(key);
      if (principal === undefined || now() < (principal.expiresAtMs ?? Number.POSITIVE_INFINITY))
        return principal;
      entries.delete(key);
      return undefined;
    },
    set(key, principal) {
      const [oldest] = entries.size >= entriesMax ? entries.keys() : [];
      if (oldest !== undefined) entries.delete(oldest);
      entries.set(key, principal);
    },
    clear: () => entries.clear(),
    size: () => entries.size,
  };
}
