// Chooses the answer's media type from Accept, and knows JSON when it is sent one (GraphQL over HTTP, section 4).

export const GRAPHQL_RESPONSE = 'application/graphql-response+json';
export const JSON_RESPONSE = 'application/json';
export type ResponseType = typeof GRAPHQL_RESPONSE | typeof JSON_RESPONSE;

/** Accept is a list that a client may make long; what is beyond this is not read. */
const ACCEPT_CHARS_MAX = 1_000;

/**
 * The type with the highest quality, the first of equal ones; `application/json` when nothing is said or anything will
 * do, as clients from before `application/graphql-response+json` expect. Undefined when neither is acceptable.
 */
export function negotiate(accept: string | undefined): ResponseType | undefined {
  // What programs send as a rule, and what the rest of this comes to for it.
  if (accept === undefined || accept === JSON_RESPONSE || accept.trim() === '') return JSON_RESPONSE;
  const ranges = acceptedRanges(accept).toSorted((a, b) => b.quality - a.quality);
  for (const { type } of ranges) {
    if (type === GRAPHQL_RESPONSE) return GRAPHQL_RESPONSE;
    if (type === JSON_RESPONSE || type === 'application/*' || type === '*/*') return JSON_RESPONSE;
  }
  return undefined;
}

/** Whether the type, or all types, may be an answer in one piece. */
export function isWholeType(type: string): boolean {
  return type === GRAPHQL_RESPONSE || type === JSON_RESPONSE || type === 'application/*' || type === '*/*';
}

export interface MediaRange {
  /** In lower case, without parameters. */
  readonly type: string;
  /** In lower case, as they stand. */
  readonly parameters: readonly string[];
  /** Above 0, at most 1. */
  readonly quality: number;
}

/** What Accept names, in its order; a type that is wanted in another charset than UTF-8 cannot be given. */
export function acceptedRanges(accept: string | undefined): readonly MediaRange[] {
  return (accept ?? '')
    .slice(0, ACCEPT_CHARS_MAX)
    .split(',')
    .map(parseRange)
    .filter((range) => range.quality > 0);
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((part) => part.startsWith('charset='));
  if (charset !== undefined && !isUtf8(charset)) return { type, parameters, quality: 0 };
  const quality = parameters.find((part) => part.startsWith('q='));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, parameters, quality: Number.isFinite(value) ? value : 0 };
}

/** Whether a request's Content-Type is JSON in UTF-8. */
export function isJsonRequest(contentType: string | undefined): boolean {
  if (contentType === JSON_RESPONSE) return true;
  const [type, ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((part) => part.startsWith('charset='));
  return type === JSON_RESPONSE && (charset === undefined || isUtf8(charset));
}

function isUtf8(charset: string): boolean {
  return /^charset="?utf-?8"?$/.test(charset);
}
