// Why a stream ended, and whether it is worth another try.

/** One of a GraphQL answer's errors. */
export interface GraphQLFailure {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** What ends a subscription for good. */
export class WeftError extends Error {
  /** Of `extensions.code` (docs/errors.md), `CLOSE_` and the code of a closed socket, or `DOCUMENT` and `DISPOSED` of the client itself. */
  readonly code: string;
  /** All errors that the gateway told. */
  readonly errors: readonly GraphQLFailure[];
  constructor(code: string, message: string, errors: readonly GraphQLFailure[] = [], cause?: unknown) {
    super(message, { cause });
    this.name = 'WeftError';
    this.code = code;
    this.errors = errors;
  }
}

/** `again`: after a back-off; `credentials`: with a token that the gateway has not refused yet, if there is one; `final`: never. */
export type Verdict = 'again' | 'credentials' | 'final';

export interface Ending {
  readonly verdict: Verdict;
  readonly error: WeftError;
  /** Whether it ended the connection, and not this subscription alone. */
  readonly isOfConnection: boolean;
}

/** Codes of errors after which the same operation may succeed: nothing is wrong with what was asked. */
const AGAIN: ReadonlySet<string> = new Set([
  'RATE_LIMITED',
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_INVALID',
  'STORE_UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
]);

/** 4401 and 4403 are about who asks; the others about what was said: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md */
const FINAL_CLOSES: ReadonlySet<number> = new Set([
  ...[1002, 1003, 1007, 1008, 1009, 1010],
  ...[4004, 4005, 4400, 4406, 4409, 4410],
]);

/** @param thrown what graphql-ws hands to a sink: GraphQL errors, a close event, or an error of the socket */
export function endingOf(thrown: unknown): Ending {
  if (Array.isArray(thrown)) return endingByErrors(thrown as readonly GraphQLFailure[]);
  if (thrown instanceof WeftError) return { verdict: 'final', error: thrown, isOfConnection: false };
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'number')
    return endingByClose(thrown.code, 'reason' in thrown ? String(thrown.reason) : '');
  const message = thrown instanceof Error ? thrown.message : 'the connection could not be opened';
  return { verdict: 'again', error: new WeftError('CONNECTION', message, [], thrown), isOfConnection: true };
}

function endingByErrors(errors: readonly GraphQLFailure[]): Ending {
  const code = String(errors[0]?.extensions?.code ?? 'ERROR');
  const error = new WeftError(code, errors[0]?.message ?? 'the subscription ended', errors);
  // Cut off for taking nothing: what was missed is had by coming back.
  const wasSlow = errors[0]?.extensions?.limit === 'slowClientTimeoutMs';
  const again = AGAIN.has(code) || wasSlow ? 'again' : 'final';
  return { verdict: code === 'UNAUTHENTICATED' ? 'credentials' : again, error, isOfConnection: false };
}

function endingByClose(code: number, reason: string): Ending {
  const error = new WeftError(`CLOSE_${code}`, `the connection was closed (${code} ${reason})`);
  const again = FINAL_CLOSES.has(code) ? 'final' : 'again';
  return { verdict: code === 4401 || code === 4403 ? 'credentials' : again, error, isOfConnection: true };
}
