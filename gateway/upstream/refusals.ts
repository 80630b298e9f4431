// What a subgraph's refusals and failures mean for its subscriptions: to ask again, or to end.
import { HubError } from '@weft/core/errors';

/** The credentials are not good: asking again with the same cannot help. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([401, 403, 4401, 4403]);

/** The request is at fault: right only of a subgraph that never took it. */
const AT_FAULT: ReadonlySet<number> = new Set([4400, 4406]);

/** 4xx that say "later". */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * How a subgraph's status, or close code, ends a subscription; undefined when it is to be asked again.
 * @param code an HTTP status, or a close code of graphql-transport-ws
 * @param wasTaken whether it ever took a subscription like this
 */
export function refusalOf(system: string, code: number, wasTaken: boolean): HubError | undefined {
  const isRequest = (code >= 300 && code < 500 && !LATER.has(code)) || AT_FAULT.has(code);
  if (!NOT_ALLOWED.has(code) && (wasTaken || !isRequest)) return undefined;
  const why = code < 1_000 ? `HTTP ${code}` : `close code ${code}`;
  return new HubError('UPSTREAM_INVALID', `${system} refuses subscriptions (${why})`, {
    system,
    details: { upstreamStatus: code },
  });
}

/** The connection broke, or was never there. */
export function lostConnection(system: string, why: string, cause?: unknown): HubError {
  return new HubError('UPSTREAM_UNAVAILABLE', `${system} does not answer (${why})`, { system, cause });
}

/** What came is not of the protocol. */
export function invalidMessage(system: string, why: string, cause?: unknown): HubError {
  const message = `${system} answered with something that cannot be used (${why})`;
  return new HubError('UPSTREAM_INVALID', message, { system, cause });
}

/** A named limit of this gateway, and no fault of the subgraph. */
export function tooManyOf(system: string, limit: string, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `more than ${max} subscriptions of ${system} are open here`, {
    system,
    origin: 'HUB',
    retryable: true,
    details: { limit },
  });
}
