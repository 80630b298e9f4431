// Turns bytes of an old system's charset into text and back, and refuses bytes that are not in it.
import iconv from 'iconv-lite';

const REPLACEMENT = '\uFFFD';

/**
 * The charset that counts for an answer: the one its content-type names, when it is known, else the source's own.
 * @param contentType the header's text, for example `text/xml; charset=GB18030`
 */
export function charsetOf(contentType: string | undefined, sourceEncoding: string): string {
  const named =
    contentType === undefined ? undefined : /charset="?([A-Za-z0-9_.:-]+)/i.exec(contentType)?.[1];
  return named !== undefined && iconv.encodingExists(named) ? named : sourceEncoding;
}

/** The text, or undefined when the bytes are not in that charset. A byte-order mark is dropped. */
export function decodeText(bytes: Uint8Array, charset: string): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = UTF_8.test(charset) ? withoutMark(buffer.toString('utf8')) : iconv.decode(buffer, charset);
  return text.includes(REPLACEMENT) ? undefined : text;
}

/** Node reads it itself, many times faster than in pieces. */
const UTF_8 = /^utf-?8$/i;
const BYTE_ORDER_MARK = 0xfeff;

function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/** The bytes of `text` in `charset`, as iconv-lite names it. */
export function encodeText(text: string, charset: string): Buffer {
  return iconv.encode(text, charset);
}
