// Finds what the client asks for and no fetch of the plan selects: that must be an error, never a silent null.
import {
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { ALWAYS, type Guard, guardWithin } from './guards.ts';
import type { FetchStep, Plan, Step } from './planner.ts';

/** What all fetches together select at a place, by response name. */
interface Covered {
  readonly fields: Map<string, Covered>;
  /** Types that some fetch has a condition for here. */
  readonly types: Set<string>;
}

/** `Type.field` of the first field without a fetch, or undefined when all have one. */
export function findUncovered(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  plan: Plan,
): string | undefined {
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) return undefined;
  const covered = empty();
  if (plan.primary !== undefined) addFetch(covered, plan.primary);
  addStep(covered, plan.steps);
  return uncoveredIn({ schema, fragments }, root, operation.selectionSet, covered, ALWAYS);
}

function empty(): Covered {
  return { fields: new Map(), types: new Set() };
}

function addStep(root: Covered, step: Step | undefined): void {
  if (step === undefined) return;
  switch (step.kind) {
    case 'fetch':
      addFetch(root, step);
      return;
    case 'sequence':
    case 'parallel':
      for (const child of step.steps) addStep(root, child);
      return;
    case 'condition':
      addStep(root, step.whenTrue);
      addStep(root, step.whenFalse);
      return;
    case 'defer':
      addStep(root, step.primary.steps);
      for (const block of step.deferred) addStep(root, block.steps);
      return;
    default:
      step satisfies never;
  }
}

function addFetch(root: Covered, fetch: FetchStep): void {
  let place = root;
  for (const segment of fetch.path) if (isName(segment)) place = fieldOf(place, segment);
  addSelection(place, fetch.selection, fetch.fragments);
  for (const rewrite of fetch.outputRewrites) {
    if (rewrite.kind === 'rename') addRenamed(place, rewrite.path.filter(isName), rewrite.to);
  }
}

function isName(segment: string): boolean {
  return segment !== '@' && !segment.startsWith('...');
}

/** Both names then count: the old one may lie there under another type. */
function addRenamed(place: Covered, path: readonly string[], to: string): void {
  let parent = place;
  for (const segment of path.slice(0, -1)) parent = fieldOf(parent, segment);
  const from = parent.fields.get(path.at(-1) ?? '');
  if (from !== undefined) merge(fieldOf(parent, to), from);
}

function merge(into: Covered, from: Covered): void {
  for (const type of from.types) into.types.add(type);
  for (const [name, child] of from.fields) merge(fieldOf(into, name), child);
}

function fieldOf(place: Covered, name: string): Covered {
  return place.fields.getOrInsertComputed(name, empty);
}

function addSelection(
  place: Covered,
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, SelectionSetNode>,
): void {
  for (const node of selectionSet.selections) {
    if (node.kind === Kind.FIELD) {
      const field = fieldOf(place, (node.alias ?? node.name).value);
      if (node.selectionSet !== undefined) addSelection(field, node.selectionSet, fragments);
      continue;
    }
    const body = node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : fragments.get(node.name.value);
    const type = node.kind === Kind.INLINE_FRAGMENT ? node.typeCondition?.name.value : undefined;
    if (type !== undefined) place.types.add(type);
    if (body !== undefined) addSelection(place, body, fragments);
  }
}

interface Client {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

function uncoveredIn(
  client: Client,
  type: GraphQLNamedType,
  selectionSet: SelectionSetNode,
  covered: Covered,
  settled: Guard,
): string | undefined {
  for (const node of selectionSet.selections) {
    const within = guardWithin(settled, node.directives);
    if (within === undefined) continue;
    let found: string | undefined;
    if (node.kind === Kind.FIELD) {
      if (node.name.value.startsWith('__')) continue;
      const place = covered.fields.get((node.alias ?? node.name).value);
      if (place === undefined) return `${type.name}.${node.name.value}`;
      if (node.selectionSet === undefined) continue;
      const declared =
        isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
      if (declared === undefined) continue;
      found = uncoveredIn(client, getNamedType(declared.type), node.selectionSet, place, within);
    } else {
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : client.fragments.get(node.name.value);
      const condition = fragment?.typeCondition?.name.value;
      const narrowed = condition === undefined ? type : client.schema.getType(condition);
      if (fragment === undefined || !isReached(client.schema, type, narrowed, covered)) continue;
      found = uncoveredIn(client, narrowed ?? type, fragment.selectionSet, covered, within);
    }
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A planner rightly leaves out a type that no system can give at this place; one that it has elsewhere here it must not. */
function isReached(
  schema: GraphQLSchema,
  type: GraphQLNamedType,
  narrowed: GraphQLNamedType | undefined,
  covered: Covered,
): boolean {
  if (narrowed === undefined || narrowed === type || covered.types.has(narrowed.name)) return true;
  if (!isAbstractType(narrowed) || !isCompositeType(type)) return false;
  return isObjectType(type) ? schema.isSubType(narrowed, type) : false;
}
