// Reads an XML document of a contract to elements that know their namespace and their place.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { contractError, placeOf } from '../contract-error.ts';
import { readContract } from '../read-contract.ts';

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly namespace: string;
  /** By name without prefix, but for `xmlns`, and names of other namespaces as `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  readonly place: XmlPlace;
  /** The namespace that a prefix stands for here. */
  readonly namespaceOf: (prefix: string) => string | undefined;
}

export interface XmlPlace {
  readonly file: string;
  readonly offset: number;
  readonly document: string;
}

/** Elements within one another. */
const DEPTH_MAX = 100;
/** Elements of one document. */
const ELEMENTS_MAX = 100_000;

type Ordered = Readonly<Record<string, unknown>>;

const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  captureMetaData: true,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: true,
  trimValues: true,
});
const METADATA = XMLParser.getMetaDataSymbol() as unknown as symbol;

/**
 * @throws OperatorError with file, line and column for XML that is not well-formed, has a document type, or is too deep
 */
export function readXml(file: string, encoding?: string): XmlElement {
  const document = readContract(file, encoding);
  const doctype = document.search(/<!DOCTYPE|<!ENTITY/i);
  if (doctype >= 0)
    throw contractError(file, placeOf(document, doctype), 'it has a document type', 'remove it');
  const verdict = XMLValidator.validate(document);
  if (verdict !== true) {
    const { line, col, msg } = verdict.err;
    throw contractError(file, { line, column: col }, `it is not well-formed XML: ${msg}`, 'correct it there');
  }
  const roots = (PARSER.parse(document) as readonly Ordered[]).filter((node) => isElement(node));
  const [root] = roots;
  if (root === undefined)
    throw contractError(file, { line: 1, column: 1 }, 'it holds no XML element', 'give the WSDL itself');
  let count = 0;
  const limit = (depth: number, place: XmlPlace) => {
    count += 1;
    if (depth > DEPTH_MAX)
      throw errorAt(place, `it has more than ${DEPTH_MAX} levels of elements`, 'give a WSDL');
    if (count > ELEMENTS_MAX) throw errorAt(place, `it has more than ${ELEMENTS_MAX} elements`, 'split it');
  };
  return toElement(
    root,
    { file, document },
    new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]),
    1,
    limit,
  );
}

/** An error of the element's place. */
export function errorAt(place: XmlPlace, what: string, mend: string) {
  return contractError(place.file, placeOf(place.document, place.offset), what, mend);
}

function isElement(node: Ordered): boolean {
  const tag = tagOf(node);
  return tag !== undefined && !tag.startsWith('#') && !tag.startsWith('?');
}

function tagOf(node: Ordered): string | undefined {
  return Object.keys(node).find((key) => key !== ':@');
}

function toElement(
  node: Ordered,
  { file, document }: { readonly file: string; readonly document: string },
  outer: ReadonlyMap<string, string>,
  depth: number,
  limit: (depth: number, place: XmlPlace) => void,
): XmlElement {
  const tag = tagOf(node) ?? '';
  const metadata = (node as Readonly<Record<symbol, { readonly startIndex?: number } | undefined>>)[METADATA];
  const place = { file, document, offset: metadata?.startIndex ?? 0 };
  limit(depth, place);
  const raw = Object.entries((node[':@'] ?? {}) as Readonly<Record<string, string>>);
  const namespaces = new Map(outer);
  for (const [name, value] of raw) {
    if (name === 'xmlns') namespaces.set('', value);
    else if (name.startsWith('xmlns:')) namespaces.set(name.slice(6), value);
  }
  const inside = (node[tag] ?? []) as readonly Ordered[];
  const [prefix, name] = splitName(tag);
  return {
    name,
    namespace: namespaces.get(prefix) ?? '',
    attributes: new Map(
      raw
        .filter(([key]) => !/^xmlns(?::|$)/.test(key))
        .map(([key, value]) => attributeEntry(key, value, namespaces)),
    ),
    children: inside
      .filter(isElement)
      .map((child) => toElement(child, { file, document }, namespaces, depth + 1, limit)),
    text: inside
      .flatMap((child) => ('#text' in child ? [String(child['#text'])] : []))
      .join(' ')
      .trim(),
    place,
    namespaceOf: (of) => namespaces.get(of),
  };
}

function attributeEntry(
  key: string,
  value: string,
  namespaces: ReadonlyMap<string, string>,
): readonly [string, string] {
  const [prefix, name] = splitName(key);
  return [prefix === '' ? name : `{${namespaces.get(prefix) ?? prefix}}${name}`, value];
}

/** `tns:Order` to its two parts; without a prefix the first is empty. */
export function splitName(text: string): readonly [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? ['', text] : [text.slice(0, at), text.slice(at + 1)];
}

/** A qualified name in an attribute, as `{namespace}name`; undefined when the attribute is absent. */
export function qualifiedName(element: XmlElement, attribute: string): string | undefined {
  const text = element.attributes.get(attribute)?.trim();
  if (text === undefined || text === '') return undefined;
  const [prefix, name] = splitName(text);
  return `{${element.namespaceOf(prefix) ?? ''}}${name}`;
}
