// Decodes `@codes` to the code tables that the folder's mappings may name.
import { readFileSync } from 'node:fs';
import { CODES_MAX, type CodeTable, type CodeTables, MappingError } from '@weft/schema/mapping/compile';
import { type Node, parseMapping } from '@weft/schema/mapping/parser';
import type { IssueList } from './build-issues.ts';
import { exactlyOne, readFileName } from './choices.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import type { SdlFolder } from './sdl-folder.ts';

type Pair = CodeTable['pairs'][number];

/** Every code table of a folder by its name; one that is wrong is in `issues`. */
export function readCodes(sdl: SdlFolder, folder: string, issues: IssueList): CodeTables {
  const tables = new Map<string, CodeTable>();
  for (const directive of sdl.schemaDirectives) {
    if (directive.name.value !== 'codes') continue;
    const given = readArguments(directive, issues);
    if (given === undefined) continue;
    const name = given.requiredText('name');
    if (tables.has(name)) {
      const mend = 'give this one another name';
      issues.add('MISPLACED', given.nodeOf('name'), `there is a code table '${name}' already`, mend);
      continue;
    }
    const pairs = readPairs(given, folder, issues);
    // A table without pairs: what is wrong was told here, and not again at every mapping that names it.
    if (pairs === undefined) tables.set(name, { pairs: [], raw: undefined });
    if (pairs === undefined) continue;
    const raw = given.text('raw');
    checkTotal(given, pairs, raw, sdl, issues);
    tables.set(name, { pairs, raw: pairs.some(([, value]) => value === null) ? raw : undefined });
  }
  return tables;
}

function readPairs(given: Arguments, folder: string, issues: IssueList): readonly Pair[] | undefined {
  const from = exactlyOne(given, ['pairs', 'file'] as const, '@codes', issues);
  if (from === undefined) return undefined;
  const pairs = from === 'pairs' ? readInline(given, issues) : readFile(given, folder, issues);
  if (pairs === undefined) return undefined;
  const twice = pairs.find(([code], index) => pairs.findIndex(([other]) => other === code) < index);
  const problem =
    twice !== undefined
      ? [`the code '${twice[0]}' stands there twice`, 'keep one']
      : pairs.length === 0 || pairs.length > CODES_MAX
        ? [`the table has ${pairs.length} codes`, `expected 1 to ${CODES_MAX}`]
        : undefined;
  if (problem === undefined) return pairs;
  issues.add('BAD_VALUE', given.nodeOf(from), problem[0] ?? '', problem[1] ?? '');
  return undefined;
}

const PAIRS_MEND = "write pairs of texts, like \"['10','OPEN'],['99',null]\"";

function readInline(given: Arguments, issues: IssueList): readonly Pair[] | undefined {
  const node = given.string('pairs');
  if (node === undefined) return undefined;
  try {
    const list = parseMapping(`[${node.value}]`);
    const pairs = list.kind === 'list' ? list.items.map(readPair) : [undefined];
    if (pairs.every((pair) => pair !== undefined)) return pairs;
    issues.add('BAD_MAPPING', node, 'expected pairs of a code and a value', PAIRS_MEND);
  } catch (thrown) {
    if (!(thrown instanceof MappingError)) throw thrown;
    const offset = Math.min(Math.max(thrown.offset - 1, 0), node.value.length);
    issues.addInText('BAD_MAPPING', node, offset, thrown.message, PAIRS_MEND);
  }
  return undefined;
}

function readPair(node: Node): Pair | undefined {
  const [code, value, ...rest] = node.kind === 'list' ? node.items : [];
  if (code?.kind !== 'literal' || value?.kind !== 'literal' || rest.length > 0) return undefined;
  if (code.value === null || (value.value !== null && typeof value.value !== 'string')) return undefined;
  return [String(code.value), value.value];
}

function readFile(given: Arguments, folder: string, issues: IssueList): readonly Pair[] | undefined {
  const file = readFileName(given, 'file', folder, issues);
  if (file === undefined) return undefined;
  const codes = codesOf(readFileSync(file, 'utf8'));
  if (codes === undefined) {
    const mend = 'write an object of code to value, like { "10": "OPEN", "99": null }';
    issues.add('BAD_VALUE', given.nodeOf('file'), 'the file holds no code table', mend);
  }
  return codes;
}

function codesOf(text: string): readonly Pair[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined; // Not JSON: told by who asked.
  }
  const nested = isObject(parsed) && isObject(parsed.codes) ? parsed.codes : parsed;
  if (!isObject(nested)) return undefined;
  const entries = Object.entries(nested);
  return entries.every(
    (entry): entry is [string, string | null] => entry[1] === null || typeof entry[1] === 'string',
  )
    ? entries
    : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkTotal(
  given: Arguments,
  pairs: readonly Pair[],
  raw: string | undefined,
  sdl: SdlFolder,
  issues: IssueList,
): void {
  const of = given.text('of');
  const values = of === undefined ? undefined : sdl.enums.get(of);
  if (of !== undefined && values === undefined) {
    issues.add('UNKNOWN_TYPE', given.nodeOf('of'), `there is no enum '${of}'`, 'name an enum of the folder');
  }
  const known = new Set(pairs.flatMap(([, value]) => value ?? []));
  const uncoded = [...(values ?? [])].filter((value) => !known.has(value));
  if (uncoded.length > 0) {
    const mend = 'add a pair for each, or remove the value from the enum';
    issues.add('CODES_NOT_TOTAL', given.node, `${of} has values without a code: ${uncoded.join(', ')}`, mend);
  }
  const foreign = values === undefined ? [] : [...known].filter((value) => !values.has(value));
  if (foreign.length > 0) {
    const mend = `known are ${[...(values ?? [])].join(', ')}`;
    issues.add('CODES_NOT_TOTAL', given.node, `${of} does not have ${foreign.join(', ')}`, mend);
  }
  const valueless = pairs.filter(([, value]) => value === null).map(([code]) => code);
  if (valueless.length > 0 && raw === undefined) {
    const message = `codes without a value: ${valueless.slice(0, 10).join(', ')}`;
    issues.add(
      'CODES_NOT_TOTAL',
      given.node,
      message,
      'give them one, or say with `raw` which entry keeps the code',
    );
  }
}
