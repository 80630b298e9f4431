// A mapped value to the bytes of a request body, in the source's format and charset.
import type { RestSource } from '../plan.ts';
import { decodeText, encodeText } from '../text-codec.ts';
import { writeXml } from '../xml/write.ts';

export interface EncodedBody {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The body of a request. The compiler has checked that what becomes XML is an object with one field, the root element.
 * @throws HubError BAD_USER_INPUT for characters that XML cannot hold
 */
export function encodeBody(
  value: unknown,
  { format, encoding }: Pick<RestSource, 'format' | 'encoding'>,
): EncodedBody {
  if (format === 'XML') {
    const bytes = writeXml(value as Readonly<Record<string, unknown>>, encoding);
    return { bytes, headers: { 'content-type': `application/xml; charset=${encoding.toUpperCase()}` } };
  }
  // RFC 8259 section 8.1 knows no other charset than UTF-8; what another charset lacks is escaped.
  const isUtf8 = /^utf-?8$/i.test(encoding);
  const text = JSON.stringify(value);
  const bytes = isUtf8 ? Buffer.from(text) : encodeText(escapeBeyond(text, encoding), encoding);
  const charset = isUtf8 ? '' : `; charset=${encoding.toUpperCase()}`;
  return { bytes, headers: { 'content-type': `application/json${charset}` } };
}

/** Characters that the charset lacks as JSON escapes. */
function escapeBeyond(json: string, charset: string): string {
  if (/^(?:utf|gb18030)/i.test(charset)) return json;
  return json.replaceAll(/[^\u0020-\u007e]/gu, (character) => {
    const isKept = decodesBack(character, charset);
    return isKept
      ? character
      : Array.from({ length: character.length }, (_, at) => escapeUnit(character.charCodeAt(at))).join('');
  });
}

function decodesBack(character: string, charset: string): boolean {
  return decodeText(encodeText(character, charset), charset) === character;
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
