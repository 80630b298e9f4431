// Which program asks, as it says itself: for the log and the statistics of its makers, and for nothing that has to be true.

/** Both bounded and printable; either may be missing. */
export interface ClientIdentity {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

const CHARS_MAX = 64;

const NAMES = ['graphql-client-name', 'apollographql-client-name'] as const;
const VERSIONS = ['graphql-client-version', 'apollographql-client-version'] as const;

export const UNKNOWN_CLIENT: ClientIdentity = Object.freeze({ name: undefined, version: undefined });

/** @param headers names in lower case, of a request or of an upgrade */
export function readClientHeaders(headers: Readonly<Record<string, unknown>>): ClientIdentity {
  const name = firstText(headers, NAMES);
  const version = firstText(headers, VERSIONS);
  return name === undefined && version === undefined ? UNKNOWN_CLIENT : { name, version };
}

/**
 * Browsers cannot set headers of an upgrade: there the same names stand in the payload of `connection_init`, or in the
 * `headers` that it has.
 */
export function readClientPayload(
  payload: unknown,
  headers: Readonly<Record<string, unknown>>,
): ClientIdentity {
  if (!isRecord(payload)) return readClientHeaders(headers);
  const inner = isRecord(payload.headers) ? payload.headers : {};
  const given = [payload, inner, headers].map(lowerCased).map(readClientHeaders);
  return given.find(({ name, version }) => name !== undefined || version !== undefined) ?? UNKNOWN_CLIENT;
}

const KEYS_MAX = 50;

function lowerCased(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(record).slice(0, KEYS_MAX);
  return Object.fromEntries(entries.map(([key, value]) => [key.toLowerCase(), value]));
}

function firstText(headers: Readonly<Record<string, unknown>>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') {
      const text = printable(value);
      if (text !== '') return text;
    }
  }
  return undefined;
}

/** Without control characters and marks that turn the direction of a line around. */
function printable(value: string): string {
  return value
    .slice(0, 4 * CHARS_MAX)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, CHARS_MAX);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
