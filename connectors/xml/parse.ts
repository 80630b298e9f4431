// Parses XML to the plain objects that mappings read; the shape is told in docs/connectors.md.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { inspectXml } from './inspect.ts';

/** Elements within one another, at the most: a deeper document is an attack or a mistake. */
export const XML_DEPTH_MAX = 64;
/** Some 4 MB of small elements, about a second of parsing. */
export const XML_ELEMENTS_MAX = 200_000;

export type XmlValue = null | string | XmlObject | readonly XmlValue[];
export interface XmlObject {
  readonly [name: string]: XmlValue;
}

export type ParsedXml =
  | { readonly ok: true; readonly value: XmlObject }
  | { readonly ok: false; readonly problem: string; readonly limit?: string };

/**
 * Parses one XML document. Prefixes are dropped; an attribute is the field `_name`, repeated elements are a list, text is
 * text (numbers too), an empty element is null, text beside attributes or elements is the field `_`.
 * No document type, no entities but the five of XML and character references: nothing can grow or be fetched.
 * @returns an object with the root element as its one field, or what was expected, in words that hold nothing of the text
 */
export function parseXml(text: string): ParsedXml {
  const refused = refuseXml(text);
  if (refused !== undefined) return refused;
  try {
    if (XMLValidator.validate(text) !== true) return MALFORMED;
    const roots = (parser().parse(text) as readonly XmlNode[]).filter((node) => tagOf(node) !== TEXT);
    const [root] = roots;
    if (root === undefined || roots.length > 1) return MALFORMED;
    return { ok: true, value: contentOf([root], {}) as XmlObject };
  } catch {
    // The parser's words may quote the document, and say no more than that it is wrong.
    return MALFORMED;
  }
}

/** Why a text must not reach a parser; undefined when it may. */
export function refuseXml(text: string): (ParsedXml & { readonly ok: false }) | undefined {
  const { hasDocumentType, isWhole, depth, elements } = inspectXml(text);
  if (hasDocumentType) return { ok: false, problem: 'expected XML without a document type' };
  if (depth > XML_DEPTH_MAX) {
    const problem = `expected at most ${XML_DEPTH_MAX} levels of elements`;
    return { ok: false, problem, limit: 'XML_DEPTH_MAX' };
  }
  if (elements > XML_ELEMENTS_MAX) {
    const problem = `expected at most ${XML_ELEMENTS_MAX} elements`;
    return { ok: false, problem, limit: 'XML_ELEMENTS_MAX' };
  }
  // The parser looks for an end that is not there again and again.
  return isWhole ? undefined : MALFORMED;
}

const MALFORMED = { ok: false, problem: 'expected well-formed XML' } as const;
const TEXT = '#text';
const CDATA = '#cdata';
const ATTRIBUTES = ':@';

/** As the parser gives them in order: one tag to its children, and `:@` for attributes. */
type XmlNode = Readonly<Record<string, unknown>>;

/** A parser keeps the state of its document: each document has its own. */
function parser(): XMLParser {
  return new XMLParser({
    preserveOrder: true,
    processEntities: false,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    cdataPropName: CDATA,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: XML_DEPTH_MAX,
  });
}

function tagOf(node: XmlNode): string {
  return Object.keys(node).find((key) => key !== ATTRIBUTES) ?? TEXT;
}

/** What an element holds: an object when it has elements or attributes, else its text, null when there is none. */
function contentOf(children: readonly XmlNode[], attributes: Readonly<Record<string, string>>): XmlValue {
  const fields = new Map<string, XmlValue | XmlValue[]>();
  let text = '';
  for (const node of children) {
    const tag = tagOf(node);
    if (tag === TEXT) text += decodeReferences(String(node[TEXT] ?? ''));
    else if (tag === CDATA) text += cdataOf(node[CDATA]);
    else addField(fields, localName(tag), elementValue(node, tag));
  }
  for (const [name, value] of Object.entries(attributes)) {
    const field = `_${localName(name)}`;
    if (!/^xmlns(?::|$)/.test(name) && !fields.has(field)) fields.set(field, decodeReferences(value));
  }
  const trimmed = text.trim();
  if (fields.size === 0) return trimmed === '' ? null : trimmed;
  if (trimmed !== '' && !fields.has('_')) fields.set('_', trimmed);
  return Object.fromEntries(fields);
}

function elementValue(node: XmlNode, tag: string): XmlValue {
  const attributes = (node[ATTRIBUTES] ?? {}) as Readonly<Record<string, string>>;
  if (Object.entries(attributes).some(([name, value]) => localName(name) === 'nil' && isTrue(value)))
    return null;
  return contentOf(node[tag] as readonly XmlNode[], attributes);
}

/** XML Schema's `xsi:nil`. */
function isTrue(value: string): boolean {
  return value === 'true' || value === '1';
}

function addField(fields: Map<string, XmlValue | XmlValue[]>, name: string, value: XmlValue): void {
  const before = fields.get(name);
  if (before === undefined) fields.set(name, value);
  else if (Array.isArray(before)) before.push(value);
  else fields.set(name, [before as XmlValue, value]);
}

function cdataOf(children: unknown): string {
  return (children as readonly XmlNode[]).map((node) => String(node[TEXT] ?? '')).join('');
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** XML 1.0 sections 4.1 and 4.6; any other reference throws, since no document type can declare it. */
function decodeReferences(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,4}));|&/gi,
    (_whole, hex, decimal, name) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      const value = name === undefined ? undefined : ENTITIES[name];
      if (value === undefined) throw new SyntaxError('an entity that XML does not have');
      return value;
    },
  );
}
