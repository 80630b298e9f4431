// The issuer's public keys (RFC 7517): read, kept, read again in bounded time, and used on for a while when that fails.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { JWTVerifyGetKey } from 'jose';
import { errors } from 'jose';
import { type KeySet, parseKeySet } from './key-set.ts';
import type { IdentityLimits } from './limits.ts';

export interface KeySourceOptions {
  /** The text of a JSON Web Key Set; must end by the signal. */
  load(signal: AbortSignal): Promise<string>;
  readonly limits: IdentityLimits;
  readonly logger: Logger;
  /** Called when a key that was there is there no more. */
  onRemoved(): void;
  readonly now?: (() => number) | undefined;
}

export interface KeySource {
  /**
   * The key that a token's header names by `kid`; its `jku`, `x5u`, `jwk` and `x5c` are never looked at (RFC 8725, 3.10).
   * Throws UPSTREAM_UNAVAILABLE when there are no keys to look in.
   */
  readonly getKey: JWTVerifyGetKey;
  /** Whether the key that signed a token is still there; of one that named none, whether every key still is. */
  holds(signer: SignedBy): boolean;
  /** How often a key has gone so far. */
  removals(): number;
  /** Reads the keys now. Never rejects: returns what went wrong, if anything did. */
  refresh(): Promise<unknown>;
}

/** What is known of the key behind a token. */
export interface SignedBy {
  readonly kid: string | undefined;
  /** When the token began to be verified. */
  readonly removals: number;
}

interface State extends KeySourceOptions {
  now(): number;
  keys: KeySet | undefined;
  readAtMs: number;
  askedAtMs: number;
  refreshing: Promise<unknown> | undefined;
  removals: number;
}

export function createKeySource(options: KeySourceOptions): KeySource {
  const state: State = {
    ...options,
    now: options.now ?? Date.now,
    keys: undefined,
    readAtMs: Number.NEGATIVE_INFINITY,
    askedAtMs: Number.NEGATIVE_INFINITY,
    refreshing: undefined,
    removals: 0,
  };
  return {
    getKey: (header, token) => keyFor(state, header, token),
    holds: ({ kid, removals }) =>
      removals === state.removals || (kid !== undefined && state.keys?.kids.has(kid) === true),
    removals: () => state.removals,
    refresh: () => refresh(state),
  };
}

async function keyFor(
  state: State,
  ...asked: Parameters<JWTVerifyGetKey>
): Promise<Awaited<ReturnType<JWTVerifyGetKey>>> {
  const keys = await usableKeys(state);
  try {
    return await keys.find(...asked);
  } catch (thrown) {
    // The issuer may have begun to sign with a new key.
    if (!(thrown instanceof errors.JWKSNoMatchingKey) || !mayAsk(state)) throw thrown;
  }
  await refresh(state);
  return (state.keys ?? keys).find(...asked);
}

async function usableKeys(state: State): Promise<KeySet> {
  const { jwksMaxAgeMs } = state.limits;
  if (ageMs(state) > jwksMaxAgeMs && mayAsk(state)) {
    const refreshed = refresh(state);
    if (!isUsable(state)) await refreshed;
  }
  if (state.keys === undefined || !isUsable(state))
    throw new HubError('UPSTREAM_UNAVAILABLE', "The issuer's keys cannot be read at the moment.", {
      origin: 'PROVIDER',
    });
  return state.keys;
}

const ageMs = (state: State) => state.now() - state.readAtMs;
const isUsable = (state: State) => ageMs(state) <= state.limits.jwksStaleMsMax;

/** To wait for a question that is under way costs the issuer nothing. */
function mayAsk({ refreshing, now, askedAtMs, limits }: State): boolean {
  return refreshing !== undefined || now() - askedAtMs >= limits.jwksCooldownMs;
}

function refresh(state: State): Promise<unknown> {
  state.refreshing ??= read(state).finally(() => {
    state.refreshing = undefined;
  });
  return state.refreshing;
}

async function read(state: State): Promise<unknown> {
  const { limits, logger } = state;
  state.askedAtMs = state.now();
  try {
    const text = await state.load(AbortSignal.timeout(limits.jwksTimeoutMs));
    const before = state.keys;
    state.keys = parseKeySet(text, limits.jwksKeysMax);
    state.readAtMs = state.now();
    const { jwks } = state.keys;
    if (before !== undefined && [...before.jwks].some((jwk) => !jwks.has(jwk))) {
      state.removals += 1;
      state.onRemoved();
    }
    return undefined;
  } catch (err) {
    logger.warn({ err }, "the issuer's keys cannot be read: those read before are used while they may be");
    return err;
  }
}
