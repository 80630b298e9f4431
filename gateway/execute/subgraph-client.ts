// Asks a subgraph over HTTP: one bounded request, cancelled with its operation, and a HubError for whatever goes wrong.
import { randomBytes } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import { Agent, type Dispatcher } from 'undici';
import type { EngineLimits } from '../limits.ts';
import { decodeAnswer, type UpstreamAnswer } from './upstream-answer.ts';

export interface SubgraphRequest {
  readonly system: string;
  readonly url: string;
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  /** A mutation is sent once; its outcome is not known when no answer comes. */
  readonly isMutation: boolean;
  /** The operation's: its reason is a TimeoutError when the deadline passed. */
  readonly signal: AbortSignal;
  /** Monotonic, as of `performance.now()`. */
  readonly deadlineAtMs: number;
  /** 32 hex digits. */
  readonly traceId: string;
}

export interface SubgraphClient {
  /** @throws HubError, its system named */
  send(request: SubgraphRequest): Promise<UpstreamAnswer>;
  close(): Promise<void>;
}

export function createSubgraphClient(limits: EngineLimits): SubgraphClient {
  const agent = new Agent({
    connections: limits.subgraphConnectionsMax,
    pipelining: 1,
    connect: { timeout: limits.subgraphConnectTimeoutMs },
    headersTimeout: limits.subgraphTimeoutMs,
    bodyTimeout: limits.subgraphTimeoutMs,
  });
  const inFlight = new Map<string, number>();
  return {
    async send(request) {
      const count = inFlight.get(request.system) ?? 0;
      if (count >= limits.subgraphRequestsMax)
        throw tooManyRequests(request.system, limits.subgraphRequestsMax);
      inFlight.set(request.system, count + 1);
      try {
        return await sendWithin(agent, request, limits);
      } finally {
        inFlight.set(request.system, (inFlight.get(request.system) ?? 1) - 1);
      }
    },
    // Not close(): it would wait for answers that nobody wants any more.
    close: () => agent.destroy(),
  };
}

function tooManyRequests(system: string, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `more than ${max} requests to ${system} are under way`, {
    system,
    origin: 'HUB',
    retryable: true,
    details: { limit: 'subgraphRequestsMax' },
  });
}

/** Puts the subgraph's time-out, the operation's deadline and the client's leaving into one signal, freed at the end. */
async function sendWithin(
  agent: Agent,
  request: SubgraphRequest,
  limits: EngineLimits,
): Promise<UpstreamAnswer> {
  const remainingMs = Math.floor(
    Math.min(limits.subgraphTimeoutMs, request.deadlineAtMs - performance.now()),
  );
  if (request.signal.aborted || remainingMs <= 0)
    throw abortedError(request, limits.subgraphTimeoutMs, false);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), remainingMs);
  const onAbort = () => controller.abort();
  request.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await sendWithRetry(agent, request, limits, controller.signal, remainingMs);
  } catch (thrown) {
    if (controller.signal.aborted) throw abortedError(request, remainingMs, true);
    throw thrown;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener('abort', onAbort);
  }
}

function abortedError(request: SubgraphRequest, waitedMs: number, wasSent: boolean): HubError {
  const { system, signal, isMutation } = request;
  if (isMutation && wasSent) return writeUnknown(system, 'no answer came in time', undefined);
  const reason: unknown = signal.reason;
  const clientLeft = signal.aborted && !(reason instanceof Error && reason.name === 'TimeoutError');
  if (clientLeft) return new HubError('CANCELLED', 'The operation was cancelled.', { system, origin: 'HUB' });
  const message = wasSent
    ? `${system} did not answer within ${waitedMs} ms`
    : `${system} was not asked: the operation's time is up`;
  return new HubError('DEADLINE_EXCEEDED', message, { system });
}

const TRIES_MAX = 2;

/** A kept connection may be closed by a subgraph that restarts: then, and for reads only, one more try. */
async function sendWithRetry(
  agent: Agent,
  request: SubgraphRequest,
  limits: EngineLimits,
  signal: AbortSignal,
  remainingMs: number,
): Promise<UpstreamAnswer> {
  for (let tries = 1; ; tries += 1) {
    let isAnswering = false;
    try {
      const response = await agent.request(httpRequest(request, signal, remainingMs));
      isAnswering = true;
      const text = await readText(request.system, response, limits.responseBytesMax);
      return decodeAnswer(request.system, response.statusCode, text, limits.responseDepthMax);
    } catch (thrown) {
      if (thrown instanceof HubError) throw thrown;
      const mayRetry = !request.isMutation && tries < TRIES_MAX && !signal.aborted && isBrokenOff(thrown);
      if (!mayRetry) throw networkError(request, thrown, isAnswering);
    }
  }
}

function httpRequest(
  request: SubgraphRequest,
  signal: AbortSignal,
  remainingMs: number,
): Dispatcher.RequestOptions & { origin: string } {
  const url = new URL(request.url);
  const { query, operationName, variables } = request;
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      // https://www.w3.org/TR/trace-context/#traceparent-header
      traceparent: `00-${request.traceId}-${randomBytes(8).toString('hex')}-01`,
      'x-weft-deadline-ms': String(remainingMs),
    },
    body: JSON.stringify({ query, variables, ...(operationName === undefined ? {} : { operationName }) }),
  };
}

async function readText(
  system: string,
  response: Dispatcher.ResponseData,
  bytesMax: number,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += (chunk as Buffer).length;
    if (bytes > bytesMax) {
      // Leaving the loop destroys the body, and with it the socket.
      throw new HubError('UPSTREAM_INVALID', `${system} answered with more than ${bytesMax} bytes`, {
        system,
        details: { limit: 'responseBytesMax' },
      });
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  ETIMEDOUT: 'no connection in time',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not found',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
};

const BROKEN_OFF: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function codeOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
}

function isBrokenOff(thrown: unknown): boolean {
  return BROKEN_OFF.has(codeOf(thrown));
}

function networkError(
  { system, isMutation }: SubgraphRequest,
  thrown: unknown,
  isAnswering: boolean,
): HubError {
  const code = codeOf(thrown);
  const reason = REASONS[code];
  if (isMutation && (isAnswering || isBrokenOff(thrown)))
    return writeUnknown(system, 'the connection broke', thrown);
  if (code.startsWith('HPE_') || isAnswering) {
    const why = isAnswering ? 'the answer broke off' : 'not HTTP';
    return new HubError(
      'UPSTREAM_INVALID',
      `${system} answered with something that cannot be used (${why})`,
      {
        system,
        cause: thrown,
      },
    );
  }
  const message = `${system} does not answer (${reason ?? 'network error'})`;
  return new HubError('UPSTREAM_UNAVAILABLE', message, { system, cause: thrown });
}

function writeUnknown(system: string, why: string, cause: unknown): HubError {
  return new HubError(
    'WRITE_UNKNOWN',
    `${system} was told to change something, and ${why}: the outcome is not known`,
    {
      system,
      cause,
    },
  );
}
