// Decodes what a subgraph sent: a GraphQL answer with errors of our codes, or a HubError that says why it is none.
import { ERROR_CODES, type ErrorCode, HubError, type Origin } from '@weft/core/errors';
import { copyData, type DataObject, isDataObject, type Path } from './data.ts';

export interface UpstreamError {
  readonly error: HubError;
  /** In the subgraph's answer. */
  readonly path: Path | undefined;
}

export interface UpstreamAnswer {
  readonly data: DataObject | null;
  readonly errors: readonly UpstreamError[];
}

const MESSAGE_CHARS_MAX = 500;
const DETAIL_CHARS_MAX = 200;
const UNAVAILABLE_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * The status decides only when the body is no GraphQL answer: servers of both GraphQL-over-HTTP media types are met.
 * @throws HubError UPSTREAM_UNAVAILABLE or UPSTREAM_INVALID; the body itself is never in the message
 */
export function decodeAnswer(system: string, status: number, text: string, depthMax: number): UpstreamAnswer {
  const body = parseJson(text);
  const isAnswer = isPlainObject(body) && ('data' in body || Array.isArray(body.errors));
  if (!isAnswer) {
    if (UNAVAILABLE_STATUS.has(status)) {
      const message = `${system} does not answer (HTTP ${status})`;
      throw new HubError('UPSTREAM_UNAVAILABLE', message, { system, details: { upstreamStatus: status } });
    }
    throw invalid(
      system,
      `HTTP ${status}, ${body === undefined ? 'not JSON' : 'neither data nor errors'}`,
      status,
    );
  }
  const errors = Array.isArray(body.errors) ? body.errors.map((error) => decodeError(system, error)) : [];
  const data = body.data ?? null;
  if (data !== null && !isPlainObject(data)) throw invalid(system, 'data is not an object', status);
  if (data === null && errors.length === 0)
    throw invalid(system, 'data is null and there is no error', status);
  const copy = copyData(data, depthMax);
  if (copy === undefined) throw invalid(system, `nested deeper than ${depthMax}`, status);
  return { data: isDataObject(copy) ? copy : null, errors };
}

function invalid(system: string, why: string, status: number): HubError {
  const message = `${system} answered with something that is not a GraphQL answer (${why})`;
  return new HubError('UPSTREAM_INVALID', message, { system, details: { upstreamStatus: status } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Undefined says it: JSON has no such value, and the text itself must go no further.
    return undefined;
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decodeError(system: string, error: unknown): UpstreamError {
  const given = isPlainObject(error) ? error : {};
  const extensions = isPlainObject(given.extensions) ? given.extensions : {};
  const message =
    typeof given.message === 'string'
      ? given.message.slice(0, MESSAGE_CHARS_MAX)
      : 'An error without a message.';
  const path = Array.isArray(given.path) && given.path.every(isPathSegment) ? given.path : undefined;
  const named = typeof extensions.system === 'string' ? extensions.system : system;
  const code = codeOf(extensions.code);
  if (code === undefined)
    return { error: new HubError('UPSTREAM_INVALID', message, { system: named }), path };
  const options = { system: named, origin: originOf(extensions.origin), details: detailsOf(extensions) };
  return { error: new HubError(code, message, options), path };
}

function isPathSegment(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** Codes about the document are about the one that the hub sent, so to a client they say that the subgraph is wrong. */
function codeOf(code: unknown): ErrorCode | undefined {
  if (code === 'GRAPHQL_PARSE_FAILED' || code === 'GRAPHQL_VALIDATION_FAILED') return undefined;
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : undefined;
}

function originOf(origin: unknown): Origin {
  return origin === 'HUB' ? 'HUB' : 'PROVIDER';
}

const NOT_DETAILS: ReadonlySet<string> = new Set([
  'code',
  'system',
  'origin',
  'traceId',
  'stacktrace',
  'stack',
  'exception',
]);

/** Short scalars only: whatever is longer or nested may be a body or a stack. */
function detailsOf(
  extensions: Readonly<Record<string, unknown>>,
): Record<string, string | number | boolean | null> {
  const details: Record<string, string | number | boolean | null> = {};
  for (const [name, value] of Object.entries(extensions)) {
    if (NOT_DETAILS.has(name) || name === '__proto__') continue;
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) details[name] = value;
    if (typeof value === 'string' && value.length <= DETAIL_CHARS_MAX) details[name] = value;
  }
  return details;
}
