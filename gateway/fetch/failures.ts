// The HubErrors of a call that brought no answer, and what the network's own codes mean.
import { HubError } from '@weft/core/errors';
import type { StopSignal } from '../stop-signal.ts';
import type { Exchanged } from './exchange.ts';
import { refusedAtConnect } from './guarded-address.ts';

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
const NOT_HTTP: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

function codeOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
}

/** Whether a connection that stood was closed under the request: asking again, on another one, may help. */
export function isBrokenOff(cause: unknown): boolean {
  return BROKEN_OFF.has(codeOf(cause));
}

/** Of a call that the network ended. */
export function networkError(
  system: string,
  isMutation: boolean,
  { cause, wasSent, isAnswering }: Extract<Exchanged, { kind: 'broken' }>,
): HubError {
  const refused = refusedAtConnect(system, cause);
  if (refused !== undefined) return refused;
  const code = codeOf(cause);
  if (isMutation && wasSent) return writeUnknown(system, 'the connection broke', cause);
  if (code.startsWith('HPE_') || NOT_HTTP.has(code) || isAnswering) {
    const why = isAnswering ? 'the answer broke off' : 'not HTTP';
    const message = `${system} answered with something that cannot be used (${why})`;
    return new HubError('UPSTREAM_INVALID', message, { system, cause });
  }
  const message = `${system} does not answer (${REASONS[code] ?? 'network error'})`;
  return new HubError('UPSTREAM_UNAVAILABLE', message, { system, cause });
}

/** Of a mutation that was sent. */
export function writeUnknown(system: string, why: string, cause?: unknown): HubError {
  const message = `${system} was told to change something, and ${why}: the outcome is not known`;
  return new HubError('WRITE_UNKNOWN', message, { system, cause });
}

/** Of a call that its own signal or deadline ended. */
export function stoppedError(options: {
  readonly system: string;
  readonly signal: StopSignal;
  readonly isMutation: boolean;
  readonly waitedMs: number;
  readonly wasSent: boolean;
}): HubError {
  const { system, signal, isMutation, waitedMs, wasSent } = options;
  if (isMutation && wasSent) return writeUnknown(system, 'no answer came in time');
  const reason: unknown = signal.reason;
  const clientLeft = signal.aborted && !(reason instanceof Error && reason.name === 'TimeoutError');
  if (clientLeft) return new HubError('CANCELLED', 'The operation was cancelled.', { system, origin: 'HUB' });
  const message = wasSent
    ? `${system} did not answer within ${waitedMs} ms`
    : `${system} was not asked: the operation's time is up`;
  return new HubError('DEADLINE_EXCEEDED', message, { system });
}

export function tooManyRequests(system: string, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `more than ${max} requests to ${system} are under way`, {
    system,
    origin: 'HUB',
    retryable: true,
    details: { limit: 'subgraphRequestsMax' },
  });
}

export function breakerOpen(system: string): HubError {
  const message = `${system} does not answer (it failed time after time, and is only probed)`;
  return new HubError('UPSTREAM_UNAVAILABLE', message, { system, details: { breaker: 'OPEN' } });
}
