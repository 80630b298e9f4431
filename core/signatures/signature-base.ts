// The text that a signature is made of (RFC 9421, section 2.5): one line a component, and one for the parameters.

/** What of an HTTP request can be signed. */
export interface SignableMessage {
  readonly method: string;
  /** Of the `Host` header: host, and port unless it is the scheme's own. */
  readonly authority: string;
  /** Path and query, as they stand in the request line. */
  readonly target: string;
  /** The values of a header in the order they came; the name is in lower case. */
  fields(name: string): readonly string[];
}

/**
 * @param components `@method`, `@authority`, `@path`, `@query`, and names of headers in lower case
 * @param parameters the serialised value of `@signature-params`
 * @returns undefined when the message lacks a component, or there is no such derived one
 * @see https://www.rfc-editor.org/rfc/rfc9421#section-2.5
 */
export function createSignatureBase(
  components: readonly string[],
  message: SignableMessage,
  parameters: string,
): string | undefined {
  let base = '';
  for (const name of components) {
    const value = componentValue(name, message);
    if (value === undefined) return undefined;
    base += `"${name}": ${value}\n`;
  }
  return `${base}"@signature-params": ${parameters}`;
}

function componentValue(name: string, message: SignableMessage): string | undefined {
  switch (name) {
    case '@method':
      return message.method;
    case '@authority':
      return message.authority.toLowerCase();
    case '@path':
      return pathOf(message.target);
    case '@query':
      return queryOf(message.target);
    default:
      return name.startsWith('@') ? undefined : fieldValue(message.fields(name));
  }
}

/** https://www.rfc-editor.org/rfc/rfc9421#section-2.2.6: an empty path is `/`. */
function pathOf(target: string): string {
  const end = target.indexOf('?');
  return (end < 0 ? target : target.slice(0, end)) || '/';
}

/** https://www.rfc-editor.org/rfc/rfc9421#section-2.2.7: with its question mark, which stands alone when there is no query. */
function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start < 0 ? '?' : target.slice(start);
}

/** https://www.rfc-editor.org/rfc/rfc9421#section-2.1 */
function fieldValue(values: readonly string[]): string | undefined {
  if (values.length === 0) return undefined;
  return values.map((value) => value.trim()).join(', ');
}
