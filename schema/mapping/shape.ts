// What a mapping yields, as far as its text says: names of fields, and what is a list.
import { METHODS } from './methods.ts';
import type { Entry, Node } from './parser.ts';

export type MappingShape =
  | {
      readonly kind: 'object';
      /** Whether it is a list of such objects; undefined when only the data can tell. */
      readonly list: boolean | undefined;
      readonly fields: ReadonlyMap<string, FieldShape>;
    }
  | {
      readonly kind: 'value';
      readonly list: boolean | undefined;
      /** Everything that it can be besides null, when the text says so: literals and `->match` of literals. */
      readonly values: readonly (string | number | boolean)[] | undefined;
    }
  /** A path into the data: an object, a list or a plain value. */
  | { readonly kind: 'unknown'; readonly list: boolean | undefined };

/** The shape of an entry, and where in the text it stands (UTF-16 units). */
export type FieldShape = MappingShape & { readonly offset: number };

const UNKNOWN: MappingShape = { kind: 'unknown', list: undefined };

/** The static shape of a parsed mapping. */
export function shapeOfNode(node: Node): MappingShape {
  switch (node.kind) {
    case 'literal':
      return { kind: 'value', list: false, values: node.value === null ? [] : [node.value] };
    case 'input':
    case 'current':
    case 'root':
    case 'name':
    case 'member':
      return UNKNOWN;
    case 'call':
      return shapeOfCall(node);
    case 'select':
      return { kind: 'object', list: shapeOfNode(node.of).list, fields: fieldsOf(node.entries) };
    case 'object':
      return { kind: 'object', list: false, fields: fieldsOf(node.entries) };
    case 'list':
      return { kind: 'value', list: true, values: undefined };
    default:
      return node satisfies never;
  }
}

function fieldsOf(entries: readonly Entry[]): ReadonlyMap<string, FieldShape> {
  return new Map(entries.map((entry) => [entry.name, { ...shapeOfNode(entry.value), offset: entry.offset }]));
}

function shapeOfCall(node: Extract<Node, { kind: 'call' }>): MappingShape {
  const of = shapeOfNode(node.of);
  if (node.method === 'match') return { kind: 'value', list: false, values: matchValues(node.args) };
  const result = METHODS.get(node.method)?.result;
  switch (result) {
    case 'value':
      return { kind: 'value', list: false, values: undefined };
    case 'list':
      return node.method === 'split'
        ? { kind: 'value', list: true, values: undefined }
        : { ...of, list: true };
    case 'element':
      return of.kind === 'value'
        ? UNKNOWN
        : { ...of, list: of.kind === 'object' || of.list === true ? false : undefined };
    case 'same':
      return of.kind === 'value' ? { ...of, values: undefined } : UNKNOWN;
    case undefined:
      return UNKNOWN;
    default:
      return result satisfies never;
  }
}

function matchValues(pairs: readonly Node[]): readonly (string | number | boolean)[] | undefined {
  const values: (string | number | boolean)[] = [];
  for (const pair of pairs) {
    const result = pair.kind === 'list' ? pair.items[1] : undefined;
    if (result?.kind !== 'literal') return undefined;
    if (result.value !== null) values.push(result.value);
  }
  return values;
}
