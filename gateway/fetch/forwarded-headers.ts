// Which headers of a client's request go on to the subgraphs: those on a list, and never those that belong to one connection or to the hub, or say who asks.
import { OperatorError } from '@weft/core/errors';
import { PRINCIPAL_HEADER } from '@weft/core/signatures/sign';
import { isIdentityHeader } from '../identity/identity-headers.ts';

/** As Node gives them: names in lower case. */
export type ClientHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Names and values in turn. */
export type ForwardedHeaders = readonly string[];

const NONE: ForwardedHeaders = [];

/** Of one connection (https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1), of the body, or written by the hub itself. */
const NEVER: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'signature',
  'signature-input',
  'te',
  'traceparent',
  'trailer',
  'transfer-encoding',
  'upgrade',
  PRINCIPAL_HEADER,
  'x-weft-deadline-ms',
]);

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const HEADER_CHARS_MAX = 8_192;

/**
 * @param names in any case
 * @throws OperatorError naming a header that may not be forwarded
 */
export function createHeaderPicker(
  names: readonly string[],
): (headers: ClientHeaders | undefined) => ForwardedHeaders {
  const wanted = [...new Set(names.map((name) => name.toLowerCase()))].sort();
  for (const name of wanted) {
    if (NEVER.has(name) || isIdentityHeader(name) || !TOKEN.test(name))
      throw new OperatorError(`the header ${JSON.stringify(name)} may not be forwarded to subgraphs`, {
        exitCode: 2,
      });
  }
  if (wanted.length === 0) return () => NONE;
  return (headers) => (headers === undefined ? NONE : pick(headers, wanted));
}

function pick(headers: ClientHeaders, wanted: readonly string[]): ForwardedHeaders {
  const picked: string[] = [];
  for (const name of wanted) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    // A header cut short would be another header: left out, the subgraph says that it misses it.
    if (text.length <= HEADER_CHARS_MAX) picked.push(name, text);
  }
  return picked;
}
