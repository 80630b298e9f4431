// Decides what a representation has for each type of object: conditions on types met, fields merged, rewrites applied.
import type { GraphQLSchema } from 'graphql';
import type { RequiredSelection, Rewrite } from '../plan/planner.ts';
import { isWithin, typeNamesWithin } from './type-names.ts';

export interface PendingRewrite {
  readonly rewrite: Rewrite;
  /** The segment of its path that is next. */
  readonly at: number;
}

/** A field of a representation: where its value comes from, and under which name it is sent. */
export interface RepresentationField {
  readonly sentAs: string;
  readonly from: { readonly name: string } | { readonly constant: string | number | boolean | null };
  readonly selections: readonly RequiredSelection[] | undefined;
  readonly rewrites: readonly PendingRewrite[];
}

export interface Cases {
  /** By the object's own `__typename`. */
  readonly cases: readonly { readonly typeName: string; readonly fields: readonly RepresentationField[] }[];
  /** For a `__typename` that no condition is about. */
  readonly otherwise: readonly RepresentationField[];
}

/** What is sent of an object, for each type that a condition is about. */
export function casesOf(
  schema: GraphQLSchema,
  selections: readonly RequiredSelection[],
  rewrites: readonly PendingRewrite[],
): Cases {
  const conditions = new Set<string>();
  addConditions(selections, conditions);
  for (const { rewrite, at } of rewrites) {
    const segment = rewrite.path[at];
    if (segment?.startsWith(FRAGMENT_PREFIX) === true) conditions.add(segment.slice(FRAGMENT_PREFIX.length));
  }
  const typeNames = new Set([...conditions].flatMap((condition) => [...typeNamesWithin(schema, condition)]));
  return {
    cases: [...typeNames].map((typeName) => ({
      typeName,
      fields: fieldsFor(schema, selections, rewrites, typeName),
    })),
    otherwise: fieldsFor(schema, selections, rewrites, undefined),
  };
}

const FRAGMENT_PREFIX = '... on ';

function addConditions(selections: readonly RequiredSelection[], conditions: Set<string>): void {
  for (const selection of selections) {
    if (selection.kind !== 'fragment') continue;
    if (selection.typeCondition !== undefined) conditions.add(selection.typeCondition);
    addConditions(selection.selections, conditions);
  }
}

function fieldsFor(
  schema: GraphQLSchema,
  selections: readonly RequiredSelection[],
  rewrites: readonly PendingRewrite[],
  typeName: string | undefined,
): readonly RepresentationField[] {
  const fields = new Map<string, RepresentationField>();
  addRequired(schema, selections, typeName, fields);
  let currentType = typeName;
  for (const { rewrite, at } of rewrites) {
    const own = pathWithin(schema, rewrite, at, currentType);
    if (own === undefined) continue;
    const name = rewrite.path[own];
    if (name === undefined) continue;
    const field = fields.get(name);
    if (own < rewrite.path.length - 1) {
      if (field !== undefined)
        fields.set(name, { ...field, rewrites: [...field.rewrites, { rewrite, at: own + 1 }] });
    } else if (rewrite.kind === 'set') {
      fields.set(name, {
        sentAs: name,
        from: { constant: rewrite.value },
        selections: undefined,
        rewrites: [],
      });
      if (name === '__typename' && typeof rewrite.value === 'string') currentType = rewrite.value;
    } else if (field !== undefined) {
      fields.delete(name);
      fields.set(rewrite.to, { ...field, sentAs: rewrite.to });
    }
  }
  return [...fields.values()];
}

/** Where the rewrite's path goes on once its type conditions are met; undefined when one is not. */
function pathWithin(
  schema: GraphQLSchema,
  rewrite: Rewrite,
  at: number,
  typeName: string | undefined,
): number | undefined {
  let index = at;
  for (; rewrite.path[index]?.startsWith(FRAGMENT_PREFIX) === true; index += 1) {
    const condition = rewrite.path[index]?.slice(FRAGMENT_PREFIX.length) ?? '';
    if (typeName === undefined || !isWithin(schema, typeName, condition)) return undefined;
  }
  return index;
}

function addRequired(
  schema: GraphQLSchema,
  selections: readonly RequiredSelection[],
  typeName: string | undefined,
  fields: Map<string, RepresentationField>,
): void {
  for (const selection of selections) {
    if (selection.kind === 'fragment') {
      const { typeCondition } = selection;
      const applies =
        typeCondition === undefined || (typeName !== undefined && isWithin(schema, typeName, typeCondition));
      if (applies) addRequired(schema, selection.selections, typeName, fields);
      continue;
    }
    const sentAs = selection.sentAs ?? selection.name;
    const known = fields.get(sentAs);
    const selections =
      selection.selections === undefined
        ? known?.selections
        : [...(known?.selections ?? []), ...selection.selections];
    fields.set(sentAs, { sentAs, from: { name: selection.name }, selections, rewrites: [] });
  }
}
