// Generates the walk from an answer's root to the objects at a plan's path.
import type { GraphQLSchema } from 'graphql';
import type { DataObject } from '../execute/data.ts';
import { type KnownTypes, NO_KNOWN_TYPES } from './known-types.ts';
import { instantiate, readSource } from './source.ts';
import { typeNamesWithin } from './type-names.ts';

/** The objects at the path, one for each place; the same object may stand at several. */
export type FindObjects = (root: DataObject) => DataObject[];

/** Lists in lists: a subgraph could nest without end. */
const LISTS_MAX = 20;

const FRAGMENT_PREFIX = '... on ';

/** @param path response names, `@` for every element of a list, `... on A|B` for objects of these types only */
export function compileTargets(
  schema: GraphQLSchema,
  path: readonly string[],
  known: KnownTypes = NO_KNOWN_TYPES,
): FindObjects {
  const types: ReadonlySet<string>[] = [];
  const walkers = path.map((segment, index) => {
    const next = `walk${index + 1}`;
    if (segment === '@') {
      return `function walk${index}(value, out) {
  if (Array.isArray(value)) for (let i = 0; i < value.length; i += 1) ${next}(value[i], out);
}`;
    }
    if (segment.startsWith(FRAGMENT_PREFIX)) {
      const conditions = segment.slice(FRAGMENT_PREFIX.length).split('|');
      const names = new Set(conditions.flatMap((condition) => [...typeNamesWithin(schema, condition)]));
      const typeName = known.at(path.slice(0, index));
      if (typeName !== undefined) return stepSource(index, names.has(typeName) ? `${next}(value, out);` : '');
      const number = types.push(names) - 1;
      return stepSource(index, `if (types[${number}].has(value.__typename)) ${next}(value, out);`);
    }
    return stepSource(index, `${next}(${readSource('value', segment)}, out);`);
  });
  const last = stepSource(path.length, 'out.push(value);');
  const source = `function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
${walkers.join('\n')}
${last}
return function find(root) { const out = []; walk0(root, out); return out; };`;
  return instantiate<FindObjects>(source, { types });
}

/** A list that no `@` stands for, as in lists of lists with one `@` only, stands for its elements. */
function stepSource(index: number, onObject: string): string {
  return `function walk${index}(value, out, lists = 0) {
  if (isObject(value)) { ${onObject} }
  else if (Array.isArray(value) && lists < ${LISTS_MAX})
    for (let i = 0; i < value.length; i += 1) walk${index}(value[i], out, lists + 1);
}`;
}
