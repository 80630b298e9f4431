// Named code tables: `->code('T')` and `->uncode('T')` become matches before anything is compiled.
import { MappingError } from './lexer.ts';
import type { Entry, Node } from './parser.ts';

/** A code table, declared once and read both ways. */
export interface CodeTable {
  /** Empty: the declaration is wrong, and everything is null. Else each code of the old system once, with its value in the graph; null for a known code that the graph has no value for. */
  readonly pairs: readonly (readonly [code: string, value: string | null])[];
  /** The entry that must stand beside every `->code` of the table and keep the code as it came; undefined: none must. */
  readonly raw: string | undefined;
}

export type CodeTables = ReadonlyMap<string, CodeTable>;

/** Codes of one table, as of one match. */
export const CODES_MAX = 500;

/** What the two methods are called; they are no methods at run time. */
export const CODE_METHODS = ['code', 'uncode'] as const;

/**
 * The tree without `->code` and `->uncode`: each is the match that its table says.
 * @throws MappingError for a table that is not there, a value that has two codes and is to be written, or a raw entry that is missing
 */
export function resolveCodes(node: Node, tables: CodeTables): Node {
  const resolve = (inner: Node): Node => resolveCodes(inner, tables);
  switch (node.kind) {
    case 'literal':
    case 'input':
    case 'current':
    case 'root':
    case 'name':
      return node;
    case 'member':
      return { ...node, of: resolve(node.of) };
    case 'call':
      return resolveCall({ ...node, of: resolve(node.of), args: node.args.map(resolve) }, tables);
    case 'select':
      return { ...node, of: resolve(node.of), entries: resolveEntries(node.entries, tables) };
    case 'object':
      return { ...node, entries: resolveEntries(node.entries, tables) };
    case 'list':
      return { ...node, items: node.items.map(resolve) };
    default:
      return node satisfies never;
  }
}

type Call = Extract<Node, { kind: 'call' }>;

function resolveEntries(entries: readonly Entry[], tables: CodeTables): readonly Entry[] {
  const names = new Set(entries.map(({ name }) => name));
  return entries.map((entry) => {
    const { value } = entry;
    const raw = value.kind === 'call' && value.method === 'code' ? tableOf(value, tables).raw : undefined;
    if (raw !== undefined && !names.has(raw)) {
      throw new MappingError(
        `'${entry.name}' has codes without a value: keep the code as it came in an entry '${raw}' beside it`,
        entry.offset,
      );
    }
    return { ...entry, value: resolveCodes(value, tables) };
  });
}

function resolveCall(node: Call, tables: CodeTables): Node {
  if (node.method !== 'code' && node.method !== 'uncode') return node;
  const { pairs } = tableOf(node, tables);
  if (pairs.length === 0) return { kind: 'literal', value: null, offset: node.offset };
  const known = node.method === 'code' ? pairs : valuesToCodes(node, pairs);
  return { ...node, method: 'match', args: known.map((pair) => pairNode(pair, node.offset)) };
}

function tableOf(node: Call, tables: CodeTables): CodeTable {
  const [only] = node.args;
  if (node.args.length !== 1 || only?.kind !== 'literal' || typeof only.value !== 'string') {
    throw new MappingError(
      `'${node.method}' takes the name of a code table in quotes, like ->${node.method}('state')`,
      node.offset,
    );
  }
  const table = tables.get(only.value);
  if (table !== undefined) return table;
  const known = tables.size === 0 ? 'there is none here' : `known are ${[...tables.keys()].join(', ')}`;
  throw new MappingError(`no code table '${only.value}': ${known}`, only.offset);
}

function valuesToCodes(node: Call, pairs: CodeTable['pairs']): readonly (readonly [string, string])[] {
  const codes = new Map<string, string>();
  for (const [code, value] of pairs) {
    if (value === null) continue;
    const other = codes.get(value);
    if (other !== undefined) {
      throw new MappingError(
        `'${value}' has the codes '${other}' and '${code}': which one is written must be said by a table of its own`,
        node.offset,
      );
    }
    codes.set(value, code);
  }
  return [...codes];
}

function pairNode([known, result]: readonly [string, string | null], offset: number): Node {
  const literal = (value: string | null): Node => ({ kind: 'literal', value, offset });
  return { kind: 'list', items: [literal(known), literal(result)], offset };
}
