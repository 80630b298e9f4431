// One HTTP exchange with an old system: bounded body, bounded time, failures told apart.
import type { HubError } from '@weft/core/errors';
import type { Dispatcher } from 'undici';
import { type CallContext, upstreamError } from '../upstream-error.ts';

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
  readonly body: Buffer;
}

export interface ExchangeLimits {
  readonly signal: AbortSignal;
  readonly responseBytesMax: number;
}

/**
 * Sends `request` and reads the whole answer, whatever its status.
 * @throws HubError UPSTREAM_UNAVAILABLE when nothing answers, UPSTREAM_INVALID when the body is cut or too large; the signal's reason
 */
export async function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
  limits: ExchangeLimits,
  context: CallContext,
): Promise<HttpAnswer> {
  const { method, path, headers, body } = request;
  let response: Dispatcher.ResponseData;
  try {
    response = await dispatcher.request({ method, path, headers, body: body ?? null, signal: limits.signal });
  } catch (thrown) {
    if (limits.signal.aborted) throw limits.signal.reason;
    throw unreachable(thrown, context);
  }
  const contentType = headerText(response.headers['content-type']);
  return {
    status: response.statusCode,
    contentType,
    body: await readBounded(response, limits, context),
  };
}

async function readBounded(
  response: Dispatcher.ResponseData,
  limits: ExchangeLimits,
  context: CallContext,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.responseBytesMax) break;
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (limits.signal.aborted) throw limits.signal.reason;
    throw upstreamError(
      'UPSTREAM_INVALID',
      'the answer was cut off',
      context,
      { upstreamStatus: response.statusCode, truncated: true },
      thrown,
    );
  }
  if (bytes > limits.responseBytesMax) {
    throw upstreamError(
      'UPSTREAM_INVALID',
      `expected an answer of at most ${limits.responseBytesMax} bytes`,
      context,
      {
        upstreamStatus: response.statusCode,
        limit: 'responseBytesMax',
      },
    );
  }
  return Buffer.concat(chunks);
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
    throw upstreamError('UPSTREAM_UNAVAILABLE', message, context, details, undefined, status === 429);
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
