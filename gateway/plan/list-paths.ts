// Gives the paths of a plan one `@` for each list, which Hive's planner does not, and only conditions that say something.
import {
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { mapFetches } from './map-fetches.ts';
import type { FetchStep, Plan, Step } from './planner.ts';
import { fieldType } from './typenames.ts';

/** What the plan's fetches bring under one response name. */
interface Place {
  readonly type: string | undefined;
  /** Lists in lists; undefined where the schema does not know the field. */
  readonly lists: number | undefined;
  readonly children: Map<string, Place>;
}

export function withListPaths(schema: GraphQLSchema, plan: Plan): Plan {
  const first = plan.primary ?? firstFetch(plan.steps);
  if (first === undefined) return plan;
  const root: Place = {
    type: schema.getRootType(first.operationKind)?.name,
    lists: 0,
    children: new Map(),
  };
  const mend = (fetch: FetchStep) => mendFetch(schema, root, fetch);
  // In the plan's order: a fetch comes after those that bring what its path leads through.
  const primary = plan.primary === undefined ? undefined : mend(plan.primary);
  return { ...plan, primary, steps: plan.steps === undefined ? undefined : mapFetches(plan.steps, mend) };
}

function firstFetch(step: Step | undefined): FetchStep | undefined {
  if (step === undefined) return undefined;
  switch (step.kind) {
    case 'fetch':
      return step;
    case 'sequence':
    case 'parallel':
      return step.steps.map(firstFetch).find((fetch) => fetch !== undefined);
    case 'condition':
      return firstFetch(step.whenTrue) ?? firstFetch(step.whenFalse);
    case 'defer':
      return firstFetch(step.primary.steps);
    default:
      return step satisfies never;
  }
}

function mendFetch(schema: GraphQLSchema, root: Place, fetch: FetchStep): FetchStep {
  const path: string[] = [];
  let place: Place | undefined = root;
  for (const segment of fetch.path) {
    // A place that is known has said how many there are.
    if (segment === '@') {
      if (place?.lists === undefined) path.push(segment);
      continue;
    }
    if (segment.startsWith('...')) {
      // Where there is one type anyway, no condition: the objects may well lack `__typename`.
      if (!isObjectType(schema.getType(place?.type ?? ''))) path.push(segment);
      continue;
    }
    path.push(segment);
    place = place?.children.get(segment);
    for (let list = 0; list < (place?.lists ?? 0); list += 1) path.push('@');
  }
  if (place !== undefined) addSelection(schema, fetch, place, fetch.selection, place.type);
  return { ...fetch, path };
}

function addSelection(
  schema: GraphQLSchema,
  fetch: FetchStep,
  place: Place,
  selectionSet: SelectionSetNode,
  parent: string | undefined,
): void {
  for (const node of selectionSet.selections) {
    if (node.kind === Kind.FIELD) {
      if (node.selectionSet === undefined) continue;
      const child = childOf(schema, fetch, place, node.name.value, (node.alias ?? node.name).value, parent);
      addSelection(schema, fetch, child, node.selectionSet, child.type);
    } else if (node.kind === Kind.INLINE_FRAGMENT) {
      addSelection(schema, fetch, place, node.selectionSet, node.typeCondition?.name.value ?? parent);
    } else {
      const fragment = fetch.fragments.get(node.name.value);
      if (fragment !== undefined) addSelection(schema, fetch, place, fragment, parent);
    }
  }
}

function childOf(
  schema: GraphQLSchema,
  fetch: FetchStep,
  place: Place,
  field: string,
  responseName: string,
  parent: string | undefined,
): Place {
  const known = place.children.get(responseName);
  if (known !== undefined) return known;
  const declared = fieldType(schema, parent, field);
  const child: Place = {
    type: declared === undefined ? undefined : getNamedType(declared).name,
    lists: declared === undefined ? undefined : listsOf(declared),
    children: new Map(),
  };
  place.children.set(responseName, child);
  for (const rewrite of fetch.outputRewrites) {
    if (rewrite.kind === 'rename' && rewrite.path.at(-1) === responseName)
      place.children.set(rewrite.to, child);
  }
  return child;
}

function listsOf(type: GraphQLOutputType): number {
  if (isNonNullType(type)) return listsOf(type.ofType);
  return isListType(type) ? 1 + listsOf(type.ofType) : 0;
}
