// Who asks: from a client's headers, or from those of its upgrade and its ConnectionInit, to a principal.
import type { Logger } from '@weft/core/logger';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';
import { type ApiKeys, openApiKeys } from './api-keys.ts';
import { CredentialsRefused, connectionCredentials, givenTwice } from './credentials.ts';
import { createEndings, type Endings } from './endings.ts';
import { IDENTITY_LIMITS, type IdentityLimits } from './limits.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import type { IdentitySettings } from './settings.ts';
import { openTokens, type Tokens } from './tokens.ts';

/** The seam that the transports use. */
export interface Identity {
  /**
   * At once for one who gives no credentials, for a token that is known and for an API key; a promise for a token that has to
   * be verified. Throws or rejects with CredentialsRefused, or with a HubError when nothing can be said of them at the moment.
   */
  identify(headers: ClientHeaders): Principal | Promise<Principal>;
  /**
   * The same for a WebSocket.
   * @param headers of its upgrade
   * @param payload of ConnectionInit
   */
  identifyConnection(
    headers: ClientHeaders,
    payload: Readonly<Record<string, unknown>> | undefined,
  ): Principal | Promise<Principal>;
  /** Calls `onEnd` once, when the principal's credentials end or are taken back. To call what is returned stops that. */
  watchEnd(principal: Principal, onEnd: () => void): () => void;
  close(): void;
}

export interface IdentityOptions {
  readonly settings: IdentitySettings;
  /**
   * Client headers that go on to subgraphs. Where `authorization` or `x-api-key` is among them and the gateway takes no such
   * credentials, they are for the subgraphs alone, and who gives them is anonymous here.
   */
  readonly forwardedHeaders?: readonly string[] | undefined;
  readonly logger: Logger;
  readonly limits?: Partial<IdentityLimits> | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** @throws OperatorError when the file of API keys or of the issuer's keys cannot be used; an issuer's URL is not waited for */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { settings, logger, now } = options;
  const limits = { ...IDENTITY_LIMITS, ...options.limits };
  const parts: { tokens?: Tokens; apiKeys?: ApiKeys } = {};
  const endings = createEndings((principal) => holds(parts, principal), now);
  const review = endings.review;
  if (settings.tokens !== undefined)
    parts.tokens = await openTokens({ settings: settings.tokens, limits, logger, onRemoved: review, now });
  if (settings.apiKeysFile !== undefined)
    parts.apiKeys = await openApiKeys({ file: settings.apiKeysFile, limits, logger, onChange: review, now });
  return createIdentity(parts, endings, options.forwardedHeaders ?? []);
}

/** Takes no credentials: who gives none is anonymous, who gives some is refused. */
export const WITHOUT_IDENTITY: Identity = createIdentity(
  {},
  createEndings(() => false),
  [],
);

interface Parts {
  readonly tokens?: Tokens | undefined;
  readonly apiKeys?: ApiKeys | undefined;
}

/** Only tokens have an issuer. */
function holds({ tokens, apiKeys }: Parts, principal: Principal): boolean {
  return (principal.issuer === undefined ? apiKeys : tokens)?.holds(principal) ?? false;
}

function createIdentity(parts: Parts, endings: Endings, forwardedHeaders: readonly string[]): Identity {
  const { tokens, apiKeys } = parts;
  const forwarded = new Set(forwardedHeaders.map((name) => name.toLowerCase()));
  const passesAuthorization = tokens === undefined && forwarded.has('authorization');
  const passesApiKey = apiKeys === undefined && forwarded.has('x-api-key');
  const judge = (authorization: unknown, apiKey: unknown) => {
    const given = passesAuthorization ? undefined : authorization;
    const key = passesApiKey ? undefined : apiKey;
    if (given === undefined) return key === undefined ? ANONYMOUS : byApiKey(apiKeys, key);
    if (key !== undefined) throw givenTwice();
    return byToken(tokens, given);
  };
  return {
    identify(headers) {
      const { authorization, 'x-api-key': apiKey } = headers;
      if (authorization === undefined && apiKey === undefined) return ANONYMOUS;
      return judge(authorization, apiKey);
    },
    identifyConnection(headers, payload) {
      const { authorization, apiKey } = connectionCredentials(headers, payload);
      return judge(authorization, apiKey);
    },
    watchEnd: endings.watch,
    close() {
      endings.close();
      tokens?.close();
      apiKeys?.close();
    },
  };
}

function byToken(tokens: Tokens | undefined, authorization: unknown): Principal | Promise<Principal> {
  if (tokens === undefined) throw new CredentialsRefused('WEFT_JWKS is not set: no token is taken');
  return tokens.identify(authorization);
}

function byApiKey(apiKeys: ApiKeys | undefined, key: unknown): Principal {
  if (apiKeys === undefined)
    throw new CredentialsRefused('WEFT_API_KEYS_FILE is not set: no API key is taken');
  return apiKeys.identify(key);
}
