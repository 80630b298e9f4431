// Bearer tokens: known ones at once, others verified once however many requests bring them at the same moment.
import { HubError, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { RELOAD_LIMITS } from '../reload/limits.ts';
import { type FileWatch, watchFiles } from '../reload/watch-files.ts';
import { readBearer } from './credentials.ts';
import { createKeySource, type KeySource, type SignedBy } from './key-source.ts';
import type { IdentityLimits } from './limits.ts';
import { type KeyLocation, loadKeys } from './load-keys.ts';
import type { Principal } from './principal.ts';
import type { TokenSettings } from './settings.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';
import { createTokenVerifier } from './verify-token.ts';

export interface TokensOptions {
  readonly settings: TokenSettings;
  readonly limits: IdentityLimits;
  readonly logger: Logger;
  /** Called when a key of the issuer's is there no more. */
  onRemoved(): void;
  readonly now?: (() => number) | undefined;
}

export interface Tokens {
  /**
   * At once when the token is known.
   * @param authorization the header's value
   */
  identify(authorization: unknown): Principal | Promise<Principal>;
  /** Whether the key that signed the principal's token is still one of the issuer's. */
  holds(principal: Principal): boolean;
  close(): void;
}

/** @throws OperatorError when the keys are in a file that cannot be used; a URL is not waited for */
export async function openTokens(options: TokensOptions): Promise<Tokens> {
  const { settings, limits, logger, now } = options;
  const cache = createTokenCache(limits.verifiedTokensMax, now);
  const source = createKeySource({
    load: (signal) => loadKeys(settings.keys, limits.jwksBytesMax, signal),
    limits,
    logger,
    onRemoved() {
      cache.clear();
      options.onRemoved();
    },
    now,
  });
  const watch = await readFirst(source, settings.keys, logger);
  const signers = new WeakMap<Principal, SignedBy>();
  const verify = createTokenVerifier(settings.rules, source.getKey, now);
  const verifyOnce = shareVerifications(limits.verificationsMax, async (key, token) => {
    const removals = source.removals();
    const { principal, kid } = await verify(token);
    const signer: SignedBy = { kid, removals };
    signers.set(principal, signer);
    // Its key may have been taken back while it was being verified.
    if (source.holds(signer)) cache.set(key, principal);
    return principal;
  });
  return {
    identify: (authorization) => known(cache, readBearer(authorization, limits.tokenBytesMax), verifyOnce),
    holds(principal) {
      const signer = signers.get(principal);
      return signer !== undefined && source.holds(signer);
    },
    close: () => watch?.close(),
  };
}

async function readFirst(
  source: KeySource,
  location: KeyLocation,
  logger: Logger,
): Promise<FileWatch | undefined> {
  if ('url' in location) {
    void source.refresh();
    return undefined;
  }
  const onChange = () => void source.refresh();
  const watch = watchFiles({ limits: RELOAD_LIMITS, logger, onChange });
  await watch.setFiles([location.file]);
  const failure = await source.refresh();
  if (failure === undefined) return watch;
  watch.close();
  const why = failure instanceof Error ? failure.message : 'it cannot be read';
  throw new OperatorError(`WEFT_JWKS: ${location.file}: ${why}`, { exitCode: 2, cause: failure });
}

function known(
  cache: TokenCache,
  token: string,
  verifyOnce: (key: string, token: string) => Promise<Principal>,
): Principal | Promise<Principal> {
  const key = cache.keyOf(token);
  return cache.get(key) ?? verifyOnce(key, token);
}

/** One verification for all who bring a token while it is under way. */
function shareVerifications(
  verificationsMax: number,
  verify: (key: string, token: string) => Promise<Principal>,
): (key: string, token: string) => Promise<Principal> {
  const pending = new Map<string, Promise<Principal>>();
  const begin = async (key: string, token: string) => {
    try {
      return await verify(key, token);
    } finally {
      pending.delete(key);
    }
  };
  return (key, token) => {
    const underWay = pending.get(key);
    if (underWay !== undefined) return underWay;
    if (pending.size >= verificationsMax) throw tooMany(verificationsMax);
    const begun = begin(key, token);
    pending.set(key, begun);
    return begun;
  };
}

function tooMany(max: number): HubError {
  const details = { limit: 'verificationsMax', max };
  return new HubError('RATE_LIMITED', 'Too many tokens are being verified at the moment.', { details });
}
