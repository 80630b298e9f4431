// Writes what a mapping yields as an XML document: everything escaped, nothing left to the text's good will.
import iconv from 'iconv-lite';
import { unsendable } from '../upstream-error.ts';

/** XML 1.0 section 2.3, without the colon: a mapping names no prefixes. */
const NAME = /^[\p{L}_][\p{L}\p{N}_.·-]*$/u;
/** What XML 1.0 section 2.2 has no place for, not even as a reference. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/u;
const DEPTH_MAX = 32;

/**
 * The bytes of the document whose root is the one field of `value`: `_name` becomes an attribute, `_` the text beside
 * them, a list repeated elements; null is left out. Characters that `charset` lacks become references.
 * @throws HubError BAD_USER_INPUT for characters that no XML can hold
 */
export function writeXml(value: Readonly<Record<string, unknown>>, charset: string): Buffer {
  const xml = Object.entries(value)
    .map(([name, content]) => element(name, content ?? {}, 0))
    .join('');
  const text = `<?xml version="1.0" encoding="${charset.toUpperCase()}"?>${xml}`;
  return iconv.encode(withReferences(text, charset), charset);
}

/**
 * Text as an element's or attribute's content.
 * @throws HubError BAD_USER_INPUT for characters that no XML can hold
 */
export function escapeXml(text: string): string {
  refuseForbidden(text);
  return text.replaceAll(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** @throws HubError BAD_USER_INPUT for characters that no XML can hold */
export function refuseForbidden(text: string): void {
  if (FORBIDDEN.test(text)) {
    throw unsendable('expected text without control characters: XML has no place for them');
  }
}

/** Characters outside of the charset as references, which every charset can write. */
export function withReferences(text: string, charset: string): string {
  if (
    /^(?:utf-?(?:8|16)|gb18030)/i.test(charset) ||
    iconv.decode(iconv.encode(text, charset), charset) === text
  )
    return text;
  return Array.from(text, (character) =>
    iconv.decode(iconv.encode(character, charset), charset) === character
      ? character
      : `&#${character.codePointAt(0)};`,
  ).join('');
}

function element(name: string, content: unknown, depth: number): string {
  if (content === null || content === undefined) return '';
  if (!NAME.test(name) || depth > DEPTH_MAX)
    throw unsendable('expected names that XML elements can have, at most 32 levels deep');
  if (Array.isArray(content)) return content.map((one) => element(name, one, depth + 1)).join('');
  if (typeof content !== 'object') return `<${name}>${escapeXml(String(content))}</${name}>`;
  let [attributes, inside] = ['', ''];
  for (const [field, value] of Object.entries(content)) {
    if (value === null || value === undefined) continue;
    if (field === '_') inside += escapeXml(String(value));
    else if (field.startsWith('_')) attributes += attribute(field.slice(1), value);
    else inside += element(field, value, depth + 1);
  }
  return `<${name}${attributes}>${inside}</${name}>`;
}

function attribute(name: string, value: unknown): string {
  if (!NAME.test(name) || typeof value === 'object')
    throw unsendable('expected plain values for the attributes of an XML element');
  return ` ${name}="${escapeXml(String(value))}"`;
}
