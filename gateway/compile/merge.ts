// Generates the merge of one fetch's answer into the objects that it belongs to.
import { type GraphQLSchema, isAbstractType, Kind, type SelectionSetNode } from 'graphql';
import type { DataObject } from '../execute/data.ts';
import type { FetchStep } from '../plan/planner.ts';
import { instantiate, propertySource, readSource, writeSource } from './source.ts';

/**
 * Puts `source` into `target`: what the fetch selects and nothing else. A null never replaces what is there, objects are
 * merged key by key, lists of equal length element by element.
 * @param copies whether nested objects are copied: needed when the source is put into more than one target
 */
export type Merge = (target: DataObject, source: DataObject, copies: boolean) => void;

/** Lists in lists: a subgraph could nest without end. */
const LISTS_MAX = 20;

/** Response names at one position, whatever the type there; `undefined` below a leaf. */
type Shape = Map<string, Shape | undefined>;

/** @param schema the supergraph's whole schema */
export function compileMerge(schema: GraphQLSchema, step: FetchStep): Merge {
  const shape: Shape = new Map();
  addSelection(step, step.selection, shape);
  for (const rewrite of step.outputRewrites) {
    if (rewrite.kind === 'rename') addRenamed(shape, rewrite.path, rewrite.to);
  }
  const functions: string[] = [];
  const root = writeMerge(shape, functions);
  const source = `function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
${functions.join('\n')}
return merge${root};`;
  const abstractNames = new Set(
    Object.values(schema.getTypeMap()).flatMap((type) => (isAbstractType(type) ? [type.name] : [])),
  );
  return instantiate<Merge>(source, { abstractNames });
}

function addSelection(step: FetchStep, selectionSet: SelectionSetNode, shape: Shape): void {
  for (const node of selectionSet.selections) {
    if (node.kind !== Kind.FIELD) {
      const body =
        node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : step.fragments.get(node.name.value);
      if (body !== undefined) addSelection(step, body, shape);
      continue;
    }
    const name = (node.alias ?? node.name).value;
    if (node.selectionSet === undefined) {
      if (!shape.has(name)) shape.set(name, undefined);
      continue;
    }
    const below: Shape = shape.get(name) ?? new Map();
    shape.set(name, below);
    addSelection(step, node.selectionSet, below);
  }
}

/** What an output rewrite renames arrives under its new name, with the same below it. */
function addRenamed(shape: Shape, path: readonly string[], to: string): void {
  const names = path.filter((segment) => !segment.startsWith('... on '));
  let at: Shape | undefined = shape;
  for (const name of names.slice(0, -1)) at = at?.get(name);
  const last = names.at(-1);
  if (at !== undefined && last !== undefined && at.has(last)) at.set(to, at.get(last));
}

/** Writes the functions of a position and those below it; gives the position's number. */
function writeMerge(shape: Shape, functions: string[]): number {
  const number = functions.push('') - 1;
  const merges: string[] = [];
  const copies: string[] = [];
  for (const [name, below] of shape) {
    const read = readSource('source', name);
    if (below === undefined) {
      const there = readSource('target', name);
      // A subgraph that knows an interface as an object type calls every object by the interface's name.
      const isNews = name === '__typename' ? '!abstractNames.has(value)' : 'value !== null';
      merges.push(
        `value = ${read}; if (value !== undefined && (${isNews} || ${there} === undefined)) ${writeSource('target', name, 'value')}`,
      );
      copies.push(propertySource(name, read));
      continue;
    }
    const child = writeMerge(below, functions);
    const merged = `place${child}(${readSource('target', name)}, value, copies)`;
    merges.push(`value = ${read}; if (value !== undefined) ${writeSource('target', name, merged)}`);
    copies.push(propertySource(name, `copy${child}(${read})`));
  }
  functions[number] = positionSource(number, merges, copies);
  return number;
}

function positionSource(number: number, merges: readonly string[], copies: readonly string[]): string {
  return `function merge${number}(target, source, copies) {
  let value;
  ${merges.join('\n  ')}
}
function copy${number}(source, lists = 0) {
  if (Array.isArray(source)) return lists < ${LISTS_MAX} ? source.map((item) => copy${number}(item, lists + 1)) : null;
  return isObject(source) ? { ${copies.join(', ')} } : source;
}
function place${number}(target, source, copies, lists = 0) {
  if (source === null) return target === undefined ? null : target;
  if (Array.isArray(source)) {
    if (!Array.isArray(target) || target.length !== source.length) return copies ? copy${number}(source) : source;
    if (lists >= ${LISTS_MAX}) return target;
    for (let i = 0; i < source.length; i += 1) target[i] = place${number}(target[i], source[i], copies, lists + 1);
    return target;
  }
  if (isObject(source) && isObject(target)) { merge${number}(target, source, copies); return target; }
  return copies ? copy${number}(source) : source;
}`;
}
