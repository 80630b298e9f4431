// Decodes what a subgraph sent: a GraphQL answer with errors of our codes, or a HubError that says why it is none.
import { ERROR_CODES, type ErrorCode, HubError, type Origin } from '@weft/core/errors';
import type { EngineLimits } from '../limits.ts';
import { isWithinDepth, looksWithinDepth } from './depth.ts';
import { isInternal } from './internals.ts';
import { decodeTold, type Told } from './told.ts';

export interface UpstreamError {
  readonly error: HubError;
  /** In the subgraph's answer. */
  readonly path?: readonly (string | number)[] | undefined;
}

export interface UpstreamAnswer {
  /**
   * Parsed JSON as it came: read fields by the names that were asked, as own properties, since it has keys and prototypes
   * of the subgraph's choosing. A value of no known shape (a custom scalar) must pass `isWithinDepth` before it is copied
   * or written.
   */
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly UpstreamError[];
  /** What is told of the answer's parts; undefined: nothing. */
  readonly told?: Told | undefined;
}

const MESSAGE_CHARS_MAX = 500;
const DETAIL_CHARS_MAX = 200;
const DETAILS_MAX = 20;
const UNAVAILABLE_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * The status decides only when the body is no GraphQL answer: servers of both GraphQL-over-HTTP media types are met.
 * A redirect is refused whatever it brings: where a subgraph is, its operator says and not the subgraph.
 * @throws HubError UPSTREAM_UNAVAILABLE or UPSTREAM_INVALID; the body itself is never in the message
 */
export function decodeAnswer(
  system: string,
  status: number,
  text: string,
  limits: EngineLimits,
  hidesUncoded = false,
): UpstreamAnswer {
  const body = parseJson(text);
  if (status >= 300 && status < 400) throw invalid(system, `HTTP ${status}, a redirect`, status);
  if (!isPlainObject(body) || !('data' in body || Array.isArray(body.errors)))
    throw noAnswer(system, status, body !== undefined);
  const isLong = text.length > limits.depthScanCharsMin;
  return decodeBody({ system, limits, hidesUncoded, status, isLong }, body);
}

/**
 * A result of a subscription, which has no status.
 * @param payload parsed JSON
 * @throws HubError UPSTREAM_INVALID
 */
export function decodeResult(
  system: string,
  payload: unknown,
  limits: EngineLimits,
  hidesUncoded: boolean,
): UpstreamAnswer {
  const about = { system, limits, hidesUncoded, status: undefined, isLong: true };
  if (!isPlainObject(payload) || !('data' in payload || Array.isArray(payload.errors)))
    throw invalid(system, 'neither data nor errors', undefined);
  return decodeBody(about, payload);
}

interface Decoding {
  readonly system: string;
  readonly limits: EngineLimits;
  readonly hidesUncoded: boolean;
  readonly status: number | undefined;
  /** Whether all of it is looked at for its depth. */
  readonly isLong: boolean;
}

function decodeBody(
  { system, limits, hidesUncoded, status, isLong }: Decoding,
  body: Readonly<Record<string, unknown>>,
): UpstreamAnswer {
  const data = body.data ?? null;
  if (data !== null && !isPlainObject(data)) throw invalid(system, 'data is not an object', status);
  const errors = Array.isArray(body.errors)
    ? decodeErrors(system, body.errors, limits, hidesUncoded)
    : NO_ERRORS;
  if (data === null && errors.length === 0)
    throw invalid(system, 'data is null and there is no error', status);
  const depthMax = limits.responseDepthMax;
  const isShallow = isLong ? isWithinDepth(data, depthMax) : looksWithinDepth(data, depthMax);
  if (!isShallow) throw invalid(system, `nested deeper than ${depthMax}`, status);
  if (body.extensions === undefined) return { data, errors };
  // A path of an entity fetch leads through `_entities` and an index before it goes down.
  const told = decodeTold(system, body.extensions, depthMax + 2);
  return told === undefined ? { data, errors } : { data, errors, told };
}

const NO_ERRORS: readonly UpstreamError[] = [];

function noAnswer(system: string, status: number, isJson: boolean): HubError {
  if (UNAVAILABLE_STATUS.has(status)) {
    const message = `${system} does not answer (HTTP ${status})`;
    return new HubError('UPSTREAM_UNAVAILABLE', message, { system, details: { upstreamStatus: status } });
  }
  return invalid(system, `HTTP ${status}, ${isJson ? 'neither data nor errors' : 'not JSON'}`, status);
}

function invalid(system: string, why: string, status: number | undefined): HubError {
  const message = `${system} answered with something that is not a GraphQL answer (${why})`;
  const details = status === undefined ? {} : { upstreamStatus: status };
  return new HubError('UPSTREAM_INVALID', message, { system, details });
}

const BYTE_ORDER_MARK = 0xfeff;

function parseJson(text: string): unknown {
  try {
    // https://www.rfc-editor.org/rfc/rfc8259#section-8.1 lets a reader ignore the mark that some servers prepend.
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch {
    // Undefined says it: JSON has no such value, and the text itself must go no further.
    return undefined;
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bounded, as each error costs a stack: ten megabytes of them would hold the event loop for seconds. */
export function decodeErrors(
  system: string,
  errors: readonly unknown[],
  limits: EngineLimits,
  hidesUncoded: boolean,
): readonly UpstreamError[] {
  const decoded = errors
    .slice(0, limits.upstreamErrorsMax)
    .map((error) => decodeError(system, error, limits, hidesUncoded));
  const leftOut = errors.length - decoded.length;
  if (leftOut === 0) return decoded;
  const message = `${leftOut} more errors of ${system} were left out.`;
  return [
    ...decoded,
    { error: new HubError('LIMIT_EXCEEDED', message, { system, details: { limit: 'upstreamErrorsMax' } }) },
  ];
}

function decodeError(
  system: string,
  error: unknown,
  limits: EngineLimits,
  hidesUncoded: boolean,
): UpstreamError {
  const given = isPlainObject(error) ? error : {};
  const extensions = isPlainObject(given.extensions) ? given.extensions : {};
  const said =
    typeof given.message === 'string'
      ? given.message.slice(0, MESSAGE_CHARS_MAX)
      : 'An error without a message.';
  const path = isPath(given.path, limits.responseDepthMax) ? given.path : undefined;
  const named = typeof extensions.system === 'string' ? extensions.system.slice(0, DETAIL_CHARS_MAX) : system;
  const code = codeOf(extensions.code);
  // An error that a subgraph means for clients has a code of docs/errors.md; any other may be an exception that nobody caught there.
  const isHidden = (hidesUncoded && code === undefined) || isInternal(said);
  const message = isHidden ? `${named} failed; what it said of that is in the log` : said;
  const cause = isHidden ? said : undefined;
  if (code === undefined)
    return { error: new HubError('UPSTREAM_INVALID', message, { system: named, cause }), path };
  const options = {
    system: named,
    origin: originOf(extensions.origin),
    details: detailsOf(extensions),
    cause,
  };
  return { error: new HubError(code, message, options), path };
}

function isPath(value: unknown, depthMax: number): value is readonly (string | number)[] {
  return (
    Array.isArray(value) &&
    // A path of an entity fetch leads through `_entities` and an index before it goes down.
    value.length <= depthMax + 2 &&
    value.every((segment) => typeof segment === 'string' || typeof segment === 'number')
  );
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

/** A few short scalars only: whatever is longer or nested may be a body or a stack. */
function detailsOf(
  extensions: Readonly<Record<string, unknown>>,
): Record<string, string | number | boolean | null> {
  const details: Record<string, string | number | boolean | null> = {};
  for (const [name, value] of Object.entries(extensions).slice(0, DETAILS_MAX)) {
    if (NOT_DETAILS.has(name) || name === '__proto__') continue;
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) details[name] = value;
    if (typeof value === 'string' && value.length <= DETAIL_CHARS_MAX && !isInternal(value))
      details[name] = value;
  }
  return details;
}
