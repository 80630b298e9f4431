// The closed list of error codes and the one class that carries them across every edge.

/** Who failed: the hub itself, or the system that it asked (after X-Road's distinction of client, hub and provider). */
export type Origin = 'HUB' | 'PROVIDER';

/**
 * Every code a client can meet in `extensions.code`, with the HTTP status of an answer that carries no data,
 * the graphql-transport-ws close code where the socket must end, and one sentence.
 */
export const ERROR_CODES = {
  BAD_USER_INPUT: { httpStatus: 400, closeCode: 4400, means: 'An argument or variable is not acceptable.' },
  UNAUTHENTICATED: { httpStatus: 401, closeCode: 4401, means: 'Nobody is known to be asking.' },
  FORBIDDEN: { httpStatus: 403, closeCode: 4403, means: 'The one who asks may not have this.' },
  NOT_FOUND: { httpStatus: 404, closeCode: 4400, means: 'What was named does not exist.' },
  CONFLICT: { httpStatus: 409, closeCode: 4409, means: 'The state of the thing does not allow this.' },
  RATE_LIMITED: { httpStatus: 429, closeCode: 4429, means: 'Too many requests; ask again later.' },
  LIMIT_EXCEEDED: { httpStatus: 413, closeCode: 4400, means: 'A named limit was passed.' },
  CANCELLED: { httpStatus: 499, closeCode: 1000, means: 'The one who asked went away.' },
  DEADLINE_EXCEEDED: { httpStatus: 504, closeCode: 4504, means: 'The answer did not come in time.' },
  UPSTREAM_UNAVAILABLE: {
    httpStatus: 502,
    closeCode: 4502,
    means: 'A system behind the hub does not answer.',
  },
  UPSTREAM_INVALID: {
    httpStatus: 502,
    closeCode: 4502,
    means: 'A system behind the hub answered with something that cannot be used.',
  },
  WRITE_UNKNOWN: {
    httpStatus: 502,
    closeCode: 4502,
    means: 'A write was sent and its outcome is not known.',
  },
  STORE_UNAVAILABLE: { httpStatus: 503, closeCode: 4503, means: 'The hub cannot reach its own database.' },
  INVALID_CURSOR: { httpStatus: 400, closeCode: 4400, means: 'The cursor is damaged, foreign or expired.' },
  INVALID_URL: { httpStatus: 400, closeCode: 4400, means: 'An address is not acceptable.' },
  COMPOSITION_FAILED: {
    httpStatus: 422,
    closeCode: 4400,
    means: 'The systems do not make one graph.',
  },
  CHECK_FAILED: {
    httpStatus: 422,
    closeCode: 4400,
    means: 'The change would break operations that are in use.',
  },
  NOT_OWNER: {
    httpStatus: 403,
    closeCode: 4403,
    means: 'A field belongs to a system of another department.',
  },
  APPROVAL_REQUIRED: {
    httpStatus: 403,
    closeCode: 4403,
    means: 'A second person has to approve this first.',
  },
  SDL_TOO_LARGE: { httpStatus: 413, closeCode: 4400, means: 'The SDL passes a named limit.' },
  EVENTS_GAP: { httpStatus: 410, closeCode: 4410, means: 'Events were missed and are no longer retained.' },
  SUBSCRIPTION_SCHEMA_RELOAD: {
    httpStatus: 410,
    closeCode: 4410,
    means: 'A field of the subscription no longer exists.',
  },
  INTERNAL_SERVER_ERROR: { httpStatus: 500, closeCode: 4500, means: 'A mistake in the hub itself.' },
  GRAPHQL_PARSE_FAILED: { httpStatus: 400, closeCode: 4400, means: 'The document is not GraphQL.' },
  PERSISTED_QUERY_NOT_FOUND: {
    httpStatus: 404,
    closeCode: 4400,
    means: 'No document is known by this hash or id: send its text.',
  },
  PERSISTED_QUERY_NOT_SUPPORTED: {
    httpStatus: 404,
    closeCode: 4400,
    means: 'Documents are not kept by hash or id here: send their text.',
  },
  GRAPHQL_VALIDATION_FAILED: {
    httpStatus: 400,
    closeCode: 4400,
    means: 'The document does not fit the schema.',
  },
} as const satisfies Record<string, { httpStatus: number; closeCode: number; means: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether a value from outside is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

export interface HubErrorOptions {
  /** The system that failed, by its registered name; absent when the hub itself did. */
  readonly system?: string | undefined;
  /** Defaults to PROVIDER when a system is named, else to HUB. */
  readonly origin?: Origin | undefined;
  /** Whether asking again may help. Defaults by code. */
  readonly retryable?: boolean | undefined;
  /** It is certain that the call changed nothing in the system: it was never sent, or was refused. Default false. */
  readonly hadNoEffect?: boolean | undefined;
  /** What may be shown to the client besides the code: operation, upstream status, SOAP fault code, SQL state, limit name. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  /** Logged, never sent. */
  readonly cause?: unknown;
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RATE_LIMITED',
  'DEADLINE_EXCEEDED',
  'UPSTREAM_UNAVAILABLE',
  'STORE_UNAVAILABLE',
]);

/** The world's failure, in one shape. Bugs use `invariant`, an operator's mistakes `OperatorError`. */
export class HubError extends Error {
  readonly code: ErrorCode;
  readonly system: string | undefined;
  readonly origin: Origin;
  readonly retryable: boolean;
  /** False also when nobody knows. */
  readonly hadNoEffect: boolean;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;

  constructor(code: ErrorCode, message: string, options: HubErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.system = options.system;
    this.origin = options.origin ?? (options.system === undefined ? 'HUB' : 'PROVIDER');
    this.retryable = options.retryable ?? RETRYABLE.has(code);
    this.hadNoEffect = options.hadNoEffect ?? false;
    this.details = options.details ?? {};
  }

  /** What a client may see: `{ code, system?, origin, …details }`, the shape of GraphQL's `extensions`. */
  toExtensions(): Record<string, unknown> {
    return {
      ...this.details,
      code: this.code,
      origin: this.origin,
      ...(this.system === undefined ? {} : { system: this.system }),
    };
  }

  /** Any thrown value as a HubError; one that is not known becomes INTERNAL_SERVER_ERROR with the value as its cause. */
  static from(thrown: unknown, options: HubErrorOptions = {}): HubError {
    if (thrown instanceof HubError) return thrown;
    if (thrown instanceof Error && thrown.name === 'AbortError') {
      return new HubError('CANCELLED', 'The operation was cancelled.', { ...options, cause: thrown });
    }
    if (thrown instanceof Error && thrown.name === 'TimeoutError') {
      return new HubError('DEADLINE_EXCEEDED', 'The deadline passed.', { ...options, cause: thrown });
    }
    return new HubError('INTERNAL_SERVER_ERROR', 'Internal error.', { ...options, cause: thrown });
  }
}

/** An operator's mistake found at start: printed as one line that says what and how to mend it; the process exits with `exitCode`. */
export class OperatorError extends Error {
  readonly exitCode: number;
  constructor(message: string, options: { readonly exitCode?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'OperatorError';
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Our own bug when it does not hold: the process must not go on as if it did. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}
