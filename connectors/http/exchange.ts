// One HTTP exchange with an old system: bounded body, bounded time, failures told apart.
import type { HubError } from '@weft/core/errors';
import type { Dispatcher } from 'undici';
import { noteAnswer } from '../observe/observed-calls.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { type Collected, collect } from './collect.ts';

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  /** Path and query below the pool's origin. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  /** When it wants to be asked again, from now. */
  readonly retryAfterMs?: number | undefined;
  readonly body: Buffer;
}

export interface ExchangeLimits {
  readonly signal: AbortSignal;
  readonly responseBytesMax: number;
}

/**
 * Sends `request` and reads the whole answer, whatever its status.
 * @throws HubError UPSTREAM_UNAVAILABLE when nothing answers, DEADLINE_EXCEEDED when the pool's time for an answer is over,
 *   UPSTREAM_INVALID when the body is cut or too large; the signal's reason
 */
export async function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
  limits: ExchangeLimits,
  context: CallContext,
): Promise<HttpAnswer> {
  const { method, path, headers, body = null } = request;
  const { signal, responseBytesMax } = limits;
  const collected = await collect(dispatcher, { method, path, headers, body }, signal, responseBytesMax);
  if (collected.kind !== 'answer') throw failureOf(collected, limits, context);
  const { status } = collected;
  noteAnswer(status, collected.body.length);
  const contentType = headerText(collected.headers['content-type']);
  const retryAfterMs = readRetryAfter(headerText(collected.headers['retry-after']));
  return { status, contentType, retryAfterMs, body: collected.body };
}

function failureOf(
  failed: Exclude<Collected, { kind: 'answer' }>,
  { signal, responseBytesMax }: ExchangeLimits,
  context: CallContext,
): unknown {
  if (failed.kind === 'tooLarge') {
    const details = { upstreamStatus: failed.status, limit: 'responseBytesMax' };
    const message = `expected an answer of at most ${responseBytesMax} bytes`;
    return upstreamError('UPSTREAM_INVALID', message, context, details);
  }
  if (signal.aborted) return signal.reason;
  if (isPoolTimeout(failed.cause)) return tooLate(failed.cause, context);
  if (failed.kind === 'unanswered') return unreachable(failed.cause, context);
  const details = { upstreamStatus: failed.status, truncated: true };
  return upstreamError('UPSTREAM_INVALID', 'the answer was cut off', context, details, failed.cause);
}

/** The pool's own time-out, which ends a call when the guard's timer comes a moment later. */
function isPoolTimeout(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}

function tooLate(cause: unknown, context: CallContext): HubError {
  return upstreamError('DEADLINE_EXCEEDED', 'no answer in time', context, {}, cause);
}

/** An alert of the other side about our certificate: RFC 8446 section 6.2, as OpenSSL names them. */
const CERTIFICATE_REFUSED =
  /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/;

/** A connection that was refused, reset or not made in time, before any answer. */
function unreachable(thrown: unknown, context: CallContext): HubError {
  const code = (thrown as { code?: unknown }).code;
  if (typeof code === 'string' && CERTIFICATE_REFUSED.test(code)) {
    const details = { reason: 'CREDENTIALS_REFUSED', tls: code };
    return upstreamError(
      'UPSTREAM_UNAVAILABLE',
      "the hub's certificate is refused",
      context,
      details,
      thrown,
    );
  }
  return upstreamError(
    'UPSTREAM_UNAVAILABLE',
    'no answer',
    context,
    { reason: typeof code === 'string' ? code : 'UNKNOWN' },
    thrown,
    isBeforeConnection(thrown),
  );
}

/** What ends before there is a connection: names, connecting, and TLS with a certificate that does not hold. */
const BEFORE_CONNECTION = /^(?:UND_ERR_CONNECT_TIMEOUT|ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Whether no byte of the request can have left. A reset while TLS is agreed on is taken for one later: it cannot be told apart. */
function isBeforeConnection(thrown: unknown): boolean {
  const { code, syscall, errors } = thrown as { code?: unknown; syscall?: unknown; errors?: unknown };
  // Several addresses of one name, each with its own failure.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isBeforeConnection);
  if (syscall === 'connect' || syscall === 'getaddrinfo') return true;
  return typeof code === 'string' && BEFORE_CONNECTION.test(code);
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

const RETRY_AFTER_MS_MAX = 86_400_000;

/** https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3: seconds, or a date; undefined for neither. */
export function readRetryAfter(header: string | undefined, nowMs = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX) : undefined;
}

/**
 * Turns the statuses that say "not now" into errors; the rest is the protocol's to read.
 * A 401 or 403 means that the hub's own credentials are refused: an operator's matter, not the client's.
 */
export function refuseStatus(answer: HttpAnswer, context: CallContext): void {
  const { status } = answer;
  const details = { upstreamStatus: status };
  if (status === 401 || status === 403) {
    const refused = { ...details, reason: 'CREDENTIALS_REFUSED' };
    const message = "the hub's credentials are refused";
    throw upstreamError('UPSTREAM_UNAVAILABLE', message, context, refused, undefined, true);
  }
  if (status >= 500 || status === 429) {
    const message = `answered with status ${status}`;
    const { retryAfterMs } = answer;
    const known = retryAfterMs === undefined ? details : { ...details, retryAfterMs };
    throw upstreamError('UPSTREAM_UNAVAILABLE', message, context, known, undefined, status === 429);
  }
  if (status < 200 || status >= 300) {
    const message = `expected status 200, got ${status}`;
    throw upstreamError('UPSTREAM_INVALID', message, context, details, undefined, isRefusal(status));
  }
}

/** 408: it was waited for too long, and may have been done; 409 and all others of its class say that nothing was done. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408;
}
