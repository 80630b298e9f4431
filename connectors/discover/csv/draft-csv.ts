// Drafts the folder of a system that leaves CSV files, from one of them.
import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { CsvError, parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { decodeText } from '../../text-codec.ts';
import { contractError } from '../contract-error.ts';
import type { LeftOut } from '../contract-model.ts';
import type { DraftedFolder, DraftRequest } from '../discover.ts';
import { leftOutText } from '../draft.ts';
import { entryName, isMappable, relativePath } from '../mapping-text.ts';
import { fieldName, namePool, typeName, typePool } from '../names.ts';
import { commentText, descriptionText, mappingString, stringText } from '../sdl-text.ts';

/** Of the beginning of the file, which is what is looked at. */
const READ_BYTES_MAX = 1_000_000;
const ROWS_MAX = 2_000;
const COLUMNS_MAX = 200;

const LINKS = `  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@ingest", "@changes"])`;

interface Column {
  readonly header: string;
  readonly field: string;
  readonly type: 'Int' | 'Float' | 'DateTime' | 'String';
  /** Of the rows that were looked at. */
  readonly values: readonly string[];
}

/**
 * Its first row names the columns; what the others hold says what they are.
 * @throws OperatorError with one line, and the place, for a file that is no CSV, or whose rows nothing tells apart
 */
export function draftCsv(file: string, request: DraftRequest): DraftedFolder {
  const encoding = request.encoding ?? 'utf-8';
  const { header, rows } = readTable(file, encoding);
  const leftOut: LeftOut[] = [];
  const columns = columnsOf(header, rows, leftOut);
  const key = keyOf(columns);
  if (key === undefined) {
    throw contractError(
      file,
      { line: 1, column: 1 },
      `no column, and no two columns, tell the ${rows.length} rows that were looked at apart`,
      'a record needs a key: ask for a file that has one',
    );
  }
  const setting = `${request.environment}_FILES`;
  const name = basename(file);
  const type = typePool(request.system, request.hub.types).take(typeName(request.system));
  const parts = [
    headOf(request, setting, name, encoding),
    queryOf(request, type, key),
    entityOf({ request, type, key, columns, name }),
    liveOf(request, type),
    leftOutText(leftOut),
  ];
  return {
    sdl: parts.filter((part) => part !== '').join('\n'),
    leftOut,
    counts: { types: 1, entities: 1, queries: 2, commented: 0 },
    contracts: new Map([[`contracts/${name}.header.csv`, { text: `${header.map(cellText).join(',')}\n` }]]),
    environment: [{ name: setting, value: '' }],
    secrets: [],
  };
}

function readTable(file: string, encoding: string): { header: string[]; rows: string[][] } {
  if (!iconv.encodingExists(encoding))
    throw new OperatorError(`--encoding: there is no charset '${encoding}'`, { exitCode: 2 });
  const { bytes, isWhole } = readBeginning(file);
  // A cut may go through a character, and through the last row.
  const end = isWhole ? bytes.length : bytes.lastIndexOf(0x0a) + 1;
  const text = decodeText(bytes.subarray(0, end), encoding);
  if (text === undefined)
    throw contractError(
      file,
      undefined,
      `is not in ${encoding}`,
      'give its charset, such as --encoding gb18030',
    );
  let records: string[][];
  try {
    records = parse(text, { bom: true, skip_empty_lines: true, relax_column_count: true, to: ROWS_MAX + 1 });
  } catch (thrown) {
    if (!(thrown instanceof CsvError)) throw thrown;
    const line = Number(thrown.lines ?? 1);
    throw contractError(file, { line, column: 1 }, `is no CSV (${thrown.code})`, 'expected RFC 4180');
  }
  const [header, ...rows] = records;
  if (header === undefined || rows.length === 0)
    throw contractError(
      file,
      { line: 1, column: 1 },
      'has no row below a header',
      'give a file that has some',
    );
  return { header, rows };
}

function readBeginning(file: string): { readonly bytes: Buffer; readonly isWhole: boolean } {
  try {
    const opened = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(READ_BYTES_MAX);
      const length = readSync(opened, bytes, 0, READ_BYTES_MAX, 0);
      return { bytes: bytes.subarray(0, length), isWhole: length < READ_BYTES_MAX };
    } finally {
      closeSync(opened);
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    throw contractError(file, undefined, `cannot be read (${code})`, 'give the path of a CSV file');
  }
}

function columnsOf(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  leftOut: LeftOut[],
): readonly Column[] {
  const fields = namePool();
  const seen = new Set<string>();
  return header.flatMap((name, index): readonly Column[] => {
    const drop = (why: string) => {
      leftOut.push({ what: name === '' ? `column ${index + 1}` : name, why });
      return [];
    };
    if (index >= COLUMNS_MAX) return drop(`only the first ${COLUMNS_MAX} columns are drafted`);
    if (name.trim() === '') return drop('it has no name');
    if (seen.has(name)) return drop('another column has its name');
    if (!isMappable(name) || name.includes(',')) return drop('its name has marks in it');
    seen.add(name);
    const values = rows.map((row) => row[index] ?? '');
    return [{ header: name, field: fields.take(fieldName(name)), type: typeOf(values), values }];
  });
}

const TYPES = [
  // A number that begins with a zero is a code.
  ['Int', /^-?(?:0|[1-9]\d{0,8})$/],
  ['Float', /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,12})?$/],
  ['DateTime', /^\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2})?$/],
] as const;

function typeOf(values: readonly string[]): Column['type'] {
  const given = values.filter((value) => value !== '');
  if (given.length === 0) return 'String';
  return TYPES.find(([, pattern]) => given.every((value) => pattern.test(value)))?.[0] ?? 'String';
}

/** What people call the column by which they know a record. */
const KEY_NAME =
  /(?:^|[_\W])(?:id|no|code|key|uuid)$|(?:Id|No|Code|ID|NO)$|编号|编码|代码|序号|单号|号$|码$/u;

/** The first column, or else two columns, whose values are all there and all different; those that are named like keys before others. */
function keyOf(columns: readonly Column[]): readonly Column[] | undefined {
  const whole = columns.filter(({ values, type }) => type !== 'Float' && !values.includes(''));
  const named = whole.filter(({ header }) => KEY_NAME.test(header));
  const texts = whole.filter(({ type }) => type !== 'Int');
  const pairs = (first: readonly Column[], second: readonly Column[]) =>
    first.flatMap((one) => second.filter((other) => other !== one).map((other) => [one, other]));
  const alone = (some: readonly Column[]) => some.map((column) => [column]);
  const candidates = [alone(named), pairs(named, texts), alone(texts), pairs(named, whole), alone(whole)];
  return [...candidates.flat(), ...pairs(whole, whole)].find(tellsApart);
}

function tellsApart(columns: readonly Column[]): boolean {
  const rows = columns[0]?.values.length ?? 0;
  const keys = Array.from({ length: rows }, (_, row) =>
    JSON.stringify(columns.map(({ values }) => values[row])),
  );
  return new Set(keys).size === rows;
}

function headOf({ system }: DraftRequest, setting: string, name: string, encoding: string): string {
  const head = [
    `Drafted from ${name}. It is yours now: read it, and change what is wrong.`,
    "Lines with 'check:' are guesses.",
    `Put the folder into ${setting}: file:///path, or sftp://host:port/path with hostKey and auth.`,
  ];
  const charset = encoding === 'utf-8' ? '' : `    encoding: ${stringText(encoding)}\n`;
  return (
    `${commentText(head, '')}extend schema\n${LINKS}\n  @source(\n    name: ${stringText(system)}\n    title: ${stringText(system)}\n${charset}` +
    `${commentText(['check: when is a file complete?'], '    ')}    files: { url: "{$env.${setting}}", doneWhen: { stableFor: "1m" } }\n  )\n`
  );
}

function queryOf({ system, hub }: DraftRequest, type: string, key: readonly Column[]): string {
  const pool = namePool(hub.fields);
  const args = key.map(({ field }) => `${field}: ID!`).join(', ');
  const [one, list] = [pool.take(fieldName(type)), pool.take(`${fieldName(type)}List`)];
  return (
    `type Query {\n  ${one}(${args}): ${type} @connect(source: ${stringText(system)}, store: true)\n` +
    `${commentText(['check: add an argument for each column that people ask by'], '  ')}` +
    `  ${list}(first: Int = 100): [${type}!] @connect(source: ${stringText(system)}, store: true)\n}\n`
  );
}

interface Entity {
  readonly request: DraftRequest;
  readonly type: string;
  readonly key: readonly Column[];
  readonly columns: readonly Column[];
  readonly name: string;
}

function entityOf({ request: { system }, type, key, columns, name }: Entity): string {
  const keyNames = key.map(({ field }) => field).join(' ');
  const select = columns.map(entryOf).join('\n');
  const guess = [
    `check: ${key.map(({ header }) => header).join(' and ')} told all rows apart that were looked at`,
  ];
  return (
    `${commentText(guess, '')}type ${type}\n  @key(fields: ${stringText(keyNames)})\n  @connect(source: ${stringText(system)}, store: true)\n` +
    `  @ingest(\n    source: ${stringText(system)}\n    path: ${stringText(`/${patternOf(name)}`)}\n    format: CSV\n` +
    `    columns: ${stringText(columns.map(({ header }) => header).join(', '))}\n    key: ${stringText(keyNames)}\n` +
    `    select: ${mappingString(select, '    ')}\n  ) {\n${columns.map((column) => fieldText(column, key.includes(column))).join('')}}\n`
  );
}

/** The name with what stands for a day or an hour instead of the one of this file. */
function patternOf(name: string): string {
  return name
    .replace(/(?<!\d)(?:19|20)\d{2}-?[01]\d-?[0-3]\d(?!\d)/, '{date}')
    .replace(/(?<=\{date\}.*)(?<!\d)[0-2]\d-?[0-5]\d(?:-?[0-5]\d)?(?!\d)/, '{time}');
}

const READERS = { Int: '->int', Float: '->number', DateTime: '->dateTime', String: '' } as const;

function entryOf({ header, field, type }: Column): string {
  const path = relativePath([header]);
  return path === field && type === 'String' ? field : `${entryName(field)}: ${path}${READERS[type]}`;
}

function fieldText({ header, field, type }: Column, isKey: boolean): string {
  const description = header === field ? undefined : header;
  return `${descriptionText(description, '  ')}  ${field}: ${isKey ? 'ID!' : type}\n`;
}

function liveOf({ system }: DraftRequest, type: string): string {
  const name = fieldName(type);
  return (
    `type Subscription {\n  ${name}Changed(after: Cursor): ${type}Changed! @changes(of: ${stringText(type)})\n}\n\n` +
    `${descriptionText(`A row of ${system} that is new or has changed.`, '')}type ${type}Changed implements Resumable {\n  cursor: Cursor!\n  gap: Gap\n  ${name}: ${type}\n}\n`
  );
}

function cellText(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
