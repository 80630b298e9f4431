// The charset of an XML text: by its byte-order mark, its sender's header, its own declaration, or what was agreed.
import iconv from 'iconv-lite';
import { charsetOf } from '../text-codec.ts';

const DECLARATION_BYTES_MAX = 200;
const DECLARED = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']/;

/**
 * RFC 7303 section 3: a byte-order mark counts, then the header's charset, then the declaration, then `sourceEncoding`.
 * @returns a charset of iconv-lite, or undefined when the declaration names one that it does not know
 */
export function xmlCharset(
  bytes: Uint8Array,
  contentType: string | undefined,
  sourceEncoding: string,
): string | undefined {
  const head = Buffer.from(bytes.subarray(0, DECLARATION_BYTES_MAX)).toString('latin1');
  if (head.startsWith('\u00ef\u00bb\u00bf')) return 'utf-8';
  if (head.startsWith('\u00ff\u00fe') || head.startsWith('\u00fe\u00ff')) return 'utf-16';
  const named = charsetOf(contentType, '');
  if (named !== '') return named;
  const declared = DECLARED.exec(head)?.[1];
  if (declared === undefined) return sourceEncoding;
  return iconv.encodingExists(declared) ? declared : undefined;
}
