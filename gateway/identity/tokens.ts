// Bearer tokens: known ones at once, others verified once however many requests bring them at the same moment.
import { HubError, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { RELOAD_LIMITS } from '../reload/limits.ts';
import { type FileWatch, watchFiles } from '../reload/watch-files.ts';
import { readBearer } from './credentials.ts';
import { createKeySource, type KeySource } from './key-source.ts';
import type { IdentityLimits } from './limits.ts';
import { type KeyLocation, loadKeys } from './load-keys.ts';
import type { Principal } from './principal.ts';
import type { TokenSettings } from './settings.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';
import { createTokenVerifier, type VerifiedToken } from './verify-token.ts';

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
  const signers = new WeakMap<Principal, string>();
  const verify = createTokenVerifier(settings.rules, source.getKey, now);
  const verifyOnce = shareVerifications(verify, limits.verificationsMax, (key, { principal, kid }) => {
    if (kid !== undefined) signers.set(principal, kid);
    // Its key may have been taken back while it was being verified.
    if (source.holds(kid)) cache.set(key, principal);
  });
  return {
    identify: (authorization) => known(cache, readBearer(authorization, limits.tokenBytesMax), verifyOnce),
    holds: (principal) => source.holds(signers.get(principal)),
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

function shareVerifications(
  verify: (token: string) => Promise<VerifiedToken>,
  verificationsMax: number,
  onVerified: (key: string, verified: VerifiedToken) => void,
): (key: string, token: string) => Promise<Principal> {
  const pending = new Map<string, Promise<Principal>>();
  const begin = async (key: string, token: string) => {
    try {
      const verified = await verify(token);
      onVerified(key, verified);
      return verified.principal;
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
