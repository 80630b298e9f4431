// Makes the errors of old systems: always with the system, the source and the operation, never with the raw answer.
import { type ErrorCode, HubError } from '@weft/core/errors';

/** Which call failed, as clients and operators know it. */
export interface CallContext {
  /** The system's folder name: `extensions.system`. */
  readonly system: string;
  /** The `@source` in that folder. */
  readonly source: string;
  /** In the words of the protocol: `GET /orders`, a SOAP operation, a table. */
  readonly operation: string;
}

export type UpstreamDetails = Readonly<Record<string, string | number | boolean | null>>;

/** The codes that an old system's failure can have. */
export type UpstreamCode = Extract<
  ErrorCode,
  'UPSTREAM_UNAVAILABLE' | 'UPSTREAM_INVALID' | 'DEADLINE_EXCEEDED'
>;

/**
 * A failure of the old system, of origin PROVIDER; `details` go into `extensions` beside `source` and `operation`.
 * @param hadNoEffect it is certain that the call changed nothing: no connection was made, the broker has refused the
 *   message, the answer says that the call failed. A write that failed so is sent again when the code is
 *   UPSTREAM_UNAVAILABLE ("not now"), and is REJECTED when it is UPSTREAM_INVALID ("not so"); any other failed write is
 *   UNKNOWN and never sent again unasked. When in doubt, leave it out.
 */
export function upstreamError(
  code: UpstreamCode,
  message: string,
  context: CallContext,
  details: UpstreamDetails = {},
  cause?: unknown,
  hadNoEffect = false,
): HubError {
  return new HubError(code, `${context.system}: ${message}`, {
    system: context.system,
    details: { source: context.source, operation: context.operation, ...details },
    cause,
    hadNoEffect,
  });
}

/** What was asked for cannot be put into a call: nothing is sent. */
export function unsendable(message: string): HubError {
  return new HubError('BAD_USER_INPUT', message, { hadNoEffect: true });
}
