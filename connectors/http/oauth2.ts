// OAuth 2.0 client credentials (RFC 6749 section 4.4): one token for all calls of a source, fetched by one of them.
import { OperatorError } from '@weft/core/errors';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { Pool } from 'undici';
import type { OAuth2Plan, RestSource, SoapSource } from '../plan.ts';
import { type CallContext, type UpstreamDetails, upstreamError } from '../upstream-error.ts';
import type { HttpAuth } from './auth.ts';
import { exchange, type HttpAnswer, type HttpRequest } from './exchange.ts';
import { urlOf } from './pool.ts';
import type { TlsMaterial } from './tls.ts';

export interface OAuth2Options {
  readonly system: string;
  readonly source: RestSource | SoapSource;
  readonly auth: OAuth2Plan;
  readonly tls: TlsMaterial | undefined;
  readonly scope: MappingScope;
  readonly secrets: Secrets;
}

interface Token {
  readonly text: string;
  /** By a monotonic clock: when it is no longer given to new calls. */
  readonly usableUntilMs: number;
}

const TOKEN_BYTES_MAX = 64_000;
/** Of a token whose answer does not say. */
const LIFETIME_S_DEFAULT = 300;
const LIFETIME_S_MAX = 86_400;
/** A token is renewed this long before it ends, or a tenth of its life where that is shorter. */
const MARGIN_MS_MAX = 30_000;
/** Credentials that were refused are not shown again for this long: many refusals lock an account. */
const REFUSED_HOLD_MS = 5_000;

/**
 * Opens the token endpoint of a source; asks it when the first call needs a token.
 * @throws OperatorError when the address or the secret is missing, or the secret is not `client id:client secret`
 */
export function openOAuth2(options: OAuth2Options): HttpAuth {
  const { system, source, auth, scope, secrets } = options;
  const endpoint = urlOf(system, source.name, 'the token endpoint', auth.tokenUrl, scope);
  const request = tokenRequest(auth, endpoint, secrets(auth.client));
  const { timeoutMs } = source.guard;
  const connect = { timeout: timeoutMs, ...(endpoint.protocol === 'https:' ? options.tls : {}) };
  const pool = new Pool(endpoint.origin, {
    connections: 1,
    connect,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  let token: Token | undefined;
  let pending: Promise<Token> | undefined;
  let refused: { readonly error: unknown; readonly untilMs: number } | undefined;

  const fetchToken = async (context: CallContext): Promise<Token> => {
    try {
      // A limit of its own: a caller who leaves does not take the token from the others.
      token = decodeToken(await ask(pool, request, timeoutMs, context), context);
      return token;
    } catch (thrown) {
      if ((thrown as { details?: UpstreamDetails }).details?.reason === 'CREDENTIALS_REFUSED')
        refused = { error: thrown, untilMs: performance.now() + REFUSED_HOLD_MS };
      throw thrown;
    } finally {
      pending = undefined;
    }
  };
  const tokenFor = (context: CallContext): Promise<Token> | Token => {
    const nowMs = performance.now();
    if (token !== undefined && nowMs < token.usableUntilMs) return token;
    if (refused !== undefined && nowMs < refused.untilMs) throw refused.error;
    pending ??= fetchToken(context);
    return pending;
  };
  return {
    async headers(_request, signal, context) {
      const { text } = await untilAborted(Promise.resolve(tokenFor(context)), signal);
      return { authorization: `Bearer ${text}` };
    },
    renew(sent) {
      // Another call may have brought a new one already.
      if (token !== undefined && sent.authorization === `Bearer ${token.text}`) token = undefined;
      return true;
    },
    close: () => pool.destroy(),
  };
}

/** RFC 6749 sections 2.3.1 and 4.4.2. */
function tokenRequest(auth: OAuth2Plan, endpoint: URL, client: string): HttpRequest {
  const colon = client.indexOf(':');
  if (colon < 1) {
    throw new OperatorError(`secret "${auth.client}": expected the client's id and its secret, id:secret`, {
      exitCode: 2,
    });
  }
  const [id, secret] = [client.slice(0, colon), client.slice(colon + 1)];
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (auth.scope !== undefined) form.set('scope', auth.scope);
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  };
  if (auth.clientAuth === 'POST') {
    form.set('client_id', id);
    form.set('client_secret', secret);
  } else {
    const encoded = [id, secret]
      .map((part) => new URLSearchParams({ v: part }).toString().slice(2))
      .join(':');
    headers.authorization = `Basic ${Buffer.from(encoded).toString('base64')}`;
  }
  return { method: 'POST', path: endpoint.pathname + endpoint.search, headers, body: form.toString() };
}

/** None of these failures had an effect: the call itself was not made. */
const AT = { at: 'TOKEN_ENDPOINT' } as const;

async function ask(
  pool: Pool,
  request: HttpRequest,
  timeoutMs: number,
  context: CallContext,
): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const limits = { signal, responseBytesMax: TOKEN_BYTES_MAX };
  const message = 'its token endpoint gives no answer';
  try {
    return await exchange(pool, request, limits, context);
  } catch (thrown) {
    if (signal.aborted) {
      throw upstreamError(
        'UPSTREAM_UNAVAILABLE',
        message,
        context,
        { ...AT, reason: 'TIMEOUT' },
        thrown,
        true,
      );
    }
    const { details = {} } = thrown as { details?: UpstreamDetails };
    throw upstreamError('UPSTREAM_UNAVAILABLE', message, context, { ...details, ...AT }, thrown, true);
  }
}

/** What an authorization header can carry: RFC 6750 section 2.1. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]{1,8192}=*$/;
const OAUTH_ERROR = /^[a-z_]{1,40}$/;

/** RFC 6749 sections 5.1 and 5.2; the answer's own words go nowhere. */
function decodeToken(answer: HttpAnswer, context: CallContext): Token {
  const body = parseObject(answer.body);
  const details: UpstreamDetails = { ...AT, upstreamStatus: answer.status };
  if (answer.status === 400 || answer.status === 401 || answer.status === 403) {
    const error = body?.error;
    const oauthError = typeof error === 'string' && OAUTH_ERROR.test(error) ? { oauthError: error } : {};
    const message = "its token endpoint refuses the hub's credentials";
    const more = { ...details, ...oauthError, reason: 'CREDENTIALS_REFUSED' };
    throw upstreamError('UPSTREAM_UNAVAILABLE', message, context, more, undefined, true);
  }
  if (answer.status !== 200) {
    const message = `its token endpoint answered with status ${answer.status}`;
    throw upstreamError('UPSTREAM_UNAVAILABLE', message, context, details, undefined, true);
  }
  const [text, type, lifetime] = [
    body?.access_token,
    body?.token_type,
    Number(body?.expires_in ?? Number.NaN),
  ];
  if (typeof text !== 'string' || !BEARER_TOKEN.test(text) || !/^bearer$/i.test(String(type))) {
    const message = 'its token endpoint gives no bearer token';
    throw upstreamError(
      'UPSTREAM_UNAVAILABLE',
      message,
      context,
      { ...details, reason: 'NO_TOKEN' },
      undefined,
      true,
    );
  }
  const lifetimeS = lifetime > 0 ? Math.min(lifetime, LIFETIME_S_MAX) : LIFETIME_S_DEFAULT;
  const marginMs = Math.min(MARGIN_MS_MAX, lifetimeS * 100);
  return { text, usableUntilMs: performance.now() + lifetimeS * 1_000 - marginMs };
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // That it is no JSON is told by what is missing from it.
    return undefined;
  }
}

/** A caller who leaves stops waiting; what is under way goes on for the others. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  if (signal.aborted) throw signal.reason;
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
