// Entity representations: built from what is already there, rewritten where the plan says so, each sent once.
import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';
import type { FetchStep, RequiredSelection, Rewrite } from '../plan/planner.ts';
import {
  createObject,
  type DataObject,
  type DataValue,
  isDataObject,
  mergeObject,
  type Target,
} from './data.ts';

/** One representation and all places that its answer belongs in. */
export interface Representation {
  readonly value: DataObject;
  readonly targets: Target[];
}

/**
 * Equal representations are one. An object of which something required never arrived is left out: to ask with half of
 * what a resolver needs would be to take a failure elsewhere for an answer.
 * @param schema the supergraph's whole schema, hidden types included
 */
export function buildRepresentations(
  schema: GraphQLSchema,
  step: FetchStep,
  targets: readonly Target[],
): readonly Representation[] {
  const byText = new Map<string, Representation>();
  for (const target of targets) {
    const value = createObject();
    if (!select(schema, target.object, step.requires ?? [], value)) continue;
    if (typeof value.__typename !== 'string') continue;
    applyRewrites(schema, step.inputRewrites, value);
    const text = JSON.stringify(value);
    byText.getOrInsertComputed(text, () => ({ value, targets: [] })).targets.push(target);
  }
  return [...byText.values()];
}

/** False when a required field of a matching fragment is missing. */
function select(
  schema: GraphQLSchema,
  source: DataObject,
  selections: readonly RequiredSelection[],
  into: DataObject,
): boolean {
  for (const selection of selections) {
    if (selection.kind === 'fragment') {
      if (!isObjectOfType(schema, source, selection.typeCondition)) continue;
      const part = createObject();
      if (!select(schema, source, selection.selections, part)) return false;
      mergeObject(into, part);
      continue;
    }
    const value = selectValue(schema, source[selection.name], selection.selections);
    if (value === undefined) return false;
    into[selection.name] = value;
  }
  return true;
}

function selectValue(
  schema: GraphQLSchema,
  value: DataValue,
  selections: readonly RequiredSelection[] | undefined,
): DataValue {
  if (selections === undefined || value === null || value === undefined) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => selectValue(schema, item, selections));
    return items.includes(undefined) ? undefined : items;
  }
  if (!isDataObject(value)) return undefined;
  const part = createObject();
  return select(schema, value, selections, part) ? part : undefined;
}

/** Whether the object's `__typename` is the type or belongs to it; `unknown` when it says none. */
export function isObjectOfType(
  schema: GraphQLSchema,
  object: DataObject,
  typeCondition: string | undefined,
  unknown = false,
): boolean {
  if (typeCondition === undefined) return true;
  const typename = object.__typename;
  if (typeof typename !== 'string') return unknown;
  if (typename === typeCondition) return true;
  const type = schema.getType(typename);
  const condition = schema.getType(typeCondition);
  if (!isAbstractType(condition)) return false;
  return (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(condition, type);
}

const FRAGMENT_PREFIX = '... on ';

/** Applies a plan's rewrites in place. */
export function applyRewrites(schema: GraphQLSchema, rewrites: readonly Rewrite[], value: DataValue): void {
  for (const rewrite of rewrites) applyRewrite(schema, rewrite, value, 0);
}

function applyRewrite(schema: GraphQLSchema, rewrite: Rewrite, value: DataValue, at: number): void {
  if (Array.isArray(value)) {
    for (const item of value) applyRewrite(schema, rewrite, item, at);
    return;
  }
  const segment = rewrite.path[at];
  if (!isDataObject(value) || segment === undefined) return;
  if (segment.startsWith(FRAGMENT_PREFIX)) {
    const matches = isObjectOfType(schema, value, segment.slice(FRAGMENT_PREFIX.length), true);
    if (matches) applyRewrite(schema, rewrite, value, at + 1);
    return;
  }
  if (at < rewrite.path.length - 1) {
    applyRewrite(schema, rewrite, value[segment], at + 1);
    return;
  }
  rewriteField(rewrite, value, segment);
}

function rewriteField(rewrite: Rewrite, object: DataObject, name: string): void {
  switch (rewrite.kind) {
    case 'set':
      object[name] = rewrite.value;
      return;
    case 'rename':
      if (object[name] === undefined) return;
      object[rewrite.to] = object[name];
      delete object[name];
      return;
    default:
      rewrite satisfies never;
  }
}
