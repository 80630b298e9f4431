// The records of an XML text, each an element of one name: read as a stream, one in memory at a time.
import type { Readable } from 'node:stream';
import sax from 'sax';
import type { FileLimits, FilesPlan } from '../plan.ts';
import { brokenAt, type FileRow } from './rows.ts';

/** Elements within one another, at the most: a deeper document is an attack or a mistake. */
const DEPTH_MAX = 64;
/** The parser is fed so much at once, so that a record that is too large is found before the next part. */
const PART_CHARS = 16_384;

/** The five entities of XML and no others; the type definitions lack the option. */
const OPTIONS = { position: true, strictEntities: true } as sax.SAXOptions;

type XmlValue = null | string | readonly XmlValue[] | { readonly [name: string]: XmlValue };

/** An element that is open. */
interface Open {
  readonly name: string;
  readonly fields: Map<string, XmlValue | XmlValue[]>;
  text: string;
  isNil: boolean;
}

/**
 * Prefixes are dropped; an attribute is the field `_name`, repeated elements are a list, text is text, an empty element
 * and one of `xsi:nil` is null, text beside attributes or elements is the field `_`. No document type, and no entities but
 * the five of XML and character references: nothing can grow or be fetched.
 * @throws HubError as readRows
 */
export async function* readXmlRows(
  text: Readable,
  { record }: Pick<FilesPlan, 'record'>,
  limits: FileLimits,
): AsyncGenerator<FileRow> {
  const reader = createReader(record ?? '', limits);
  for await (const chunk of text as AsyncIterable<string>) {
    for (let start = 0; start < chunk.length; start += PART_CHARS) {
      reader.write(chunk.slice(start, start + PART_CHARS));
      yield* reader.take();
    }
  }
  reader.end();
  yield* reader.take();
}

function createReader(record: string, limits: FileLimits) {
  const parser = sax.parser(true, OPTIONS);
  const open: Open[] = [];
  let rows: FileRow[] = [];
  let broken: unknown;
  let depth = 0;
  let began = { line: 1, position: 0 };
  const fail = (problem: string, limit?: string): never => {
    throw brokenAt(parser.line + 1, problem, limit);
  };
  parser.onerror = () => fail('expected well-formed XML');
  parser.ondoctype = () => fail('expected XML without a document type');
  parser.onopentag = ({ name, attributes }) => {
    depth += 1;
    if (depth > DEPTH_MAX) fail(`expected at most ${DEPTH_MAX} levels of elements`, 'DEPTH_MAX');
    const local = localName(name);
    if (open.length === 0 && local !== record) return;
    if (open.length === 0) began = { line: parser.line + 1, position: parser.startTagPosition };
    open.push(openElement(local, attributes as Readonly<Record<string, string>>));
  };
  const addText = (part: string) => {
    const top = open.at(-1);
    if (top !== undefined) top.text += part;
  };
  parser.ontext = addText;
  parser.oncdata = addText;
  parser.onclosetag = () => {
    depth -= 1;
    const closed = open.pop();
    if (closed === undefined) return;
    const parent = open.at(-1);
    const value = contentOf(closed);
    if (parent !== undefined) addField(parent.fields, closed.name, value);
    else {
      const bytes = (parser.position - began.position) * 2;
      rows.push({ line: began.line, payload: value ?? {}, bytes, problem: undefined });
    }
  };
  const checkSize = () => {
    if (open.length > 0 && parser.position - began.position > limits.rowBytesMax)
      fail(`expected a record of at most ${limits.rowBytesMax} characters`, 'rowBytes');
  };
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (thrown) {
      broken = thrown;
    }
  };
  return {
    write: (part: string) =>
      attempt(() => {
        parser.write(part);
        checkSize();
      }),
    end: () => attempt(() => parser.close()),
    /** What was whole before the text broke is given first. */
    *take(): Generator<FileRow> {
      const taken = rows;
      rows = [];
      yield* taken;
      if (broken !== undefined) throw broken;
    },
  };
}

function openElement(name: string, attributes: Readonly<Record<string, string>>): Open {
  const element: Open = { name, fields: new Map(), text: '', isNil: false };
  for (const [attribute, value] of Object.entries(attributes)) {
    const local = localName(attribute);
    if (local === 'nil' && (value === 'true' || value === '1')) element.isNil = true;
    if (!/^xmlns(?::|$)/.test(attribute)) element.fields.set(`_${local}`, value);
  }
  return element;
}

function contentOf({ fields, text, isNil }: Open): XmlValue {
  if (isNil) return null;
  const trimmed = text.trim();
  if (fields.size === 0) return trimmed === '' ? null : trimmed;
  if (trimmed !== '' && !fields.has('_')) fields.set('_', trimmed);
  return Object.fromEntries(fields);
}

function addField(fields: Open['fields'], name: string, value: XmlValue): void {
  const before = fields.get(name);
  if (before === undefined) fields.set(name, value);
  else if (Array.isArray(before)) before.push(value);
  else fields.set(name, [before as XmlValue, value]);
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
