// What goes wrong between us and a broker, as the errors that clients and operators know.
import type { HubError } from '@weft/core/errors';
import { type CallContext, type UpstreamDetails, upstreamError } from '../upstream-error.ts';

/** In a failure's details when the connection broke after the message was sent: whether it was worked is not known. */
export const CONNECTION_LOST: UpstreamDetails = { reason: 'CONNECTION_LOST' };

/** The broker is away, or refuses who we are: nothing was sent. */
export function connectFailure(thrown: unknown, refusesLogin: boolean, context: CallContext): HubError {
  const [message, reason] = refusesLogin
    ? ["the hub's credentials are refused", 'CREDENTIALS_REFUSED']
    : ['its broker cannot be reached', codeOf(thrown)];
  return upstreamError('UPSTREAM_UNAVAILABLE', message, context, { reason }, thrown, true);
}

/** The system's code of an error (`ECONNREFUSED`), or a general one. */
export function codeOf(thrown: unknown): string {
  const { code } = thrown as { code?: unknown };
  return typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code) ? code : 'NOT_CONNECTED';
}
