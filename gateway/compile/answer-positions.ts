// Finds where a fetch's answer brings objects of one type, and which of their plain fields.
import {
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { FetchStep } from '../plan/planner.ts';
import type { CompiledFetch } from './fetches.ts';

/** A place in a fetch's answer where objects of one type lie. */
export interface Position {
  readonly fetch: CompiledFetch;
  readonly typeName: string;
  readonly path: readonly string[];
  /** Field name to response name: leaves without arguments and conditions. */
  readonly leaves: ReadonlyMap<string, string>;
  /** For the entities of an entity fetch themselves: what of each was sent, when that is fields of its own and nothing else. */
  readonly inputs?: Inputs | undefined;
}

/** Name of a field as it is sent to the name under which it lies in the data; `__typename` left out. */
export type Inputs = ReadonlyMap<string, string>;

/** What is sent of each entity; undefined when it is more than plain fields of one type, or not always the same. */
export function inputsOf(
  step: FetchStep,
): (Pick<Position, 'typeName'> & { readonly inputs: Inputs }) | undefined {
  const [required, more] = step.requires ?? [];
  if (required?.kind !== 'fragment' || more !== undefined || required.typeCondition === undefined)
    return undefined;
  if (required.skipIf !== undefined || required.includeIf !== undefined) return undefined;
  if (step.inputRewrites.length + step.contextRewrites.length > 0) return undefined;
  const inputs = new Map<string, string>();
  for (const part of required.selections) {
    if (part.kind !== 'field' || part.selections !== undefined) return undefined;
    if (part.name !== '__typename') inputs.set(part.sentAs ?? part.name, part.name);
  }
  return inputs.size === 0 ? undefined : { typeName: required.typeCondition, inputs };
}

/** Field name and response name of a leaf without arguments and conditions. */
export function plainLeafOf(type: GraphQLNamedType, node: FieldNode): readonly [string, string] | undefined {
  if (!isObjectType(type) || (node.arguments?.length ?? 0) > 0 || (node.directives?.length ?? 0) > 0)
    return undefined;
  const definition = type.getFields()[node.name.value];
  if (definition === undefined || !isLeafType(getNamedType(definition.type))) return undefined;
  return [node.name.value, (node.alias ?? node.name).value];
}

/** Every place in the fetch's answer where objects of one object type lie, and which of their leaves it brings. */
export function positionsOf(schema: GraphQLSchema, fetch: CompiledFetch): readonly Position[] {
  const { step } = fetch;
  const positions: Position[] = [];
  if (step.outputRewrites.length > 0) return positions;
  if (step.requires === undefined) {
    const root = schema.getRootType(step.operationKind);
    if (root) visitPosition({ schema, fetch, positions }, root, [step.selection], step.path);
    return positions;
  }
  const sent = inputsOf(step);
  for (const node of step.selection.selections) {
    if (node.kind !== Kind.INLINE_FRAGMENT || node.typeCondition === undefined) continue;
    const type = schema.getType(node.typeCondition.name.value);
    // The same path may hold other types of entities, which lack a type's own fields and so serve nobody.
    if (isObjectType(type) && (node.directives?.length ?? 0) === 0)
      visitPosition(
        { schema, fetch, positions },
        type,
        [node.selectionSet],
        [...step.path, `... on ${type.name}`],
        sent?.typeName === type.name ? sent.inputs : undefined,
      );
  }
  return positions;
}

interface Visit {
  readonly schema: GraphQLSchema;
  readonly fetch: CompiledFetch;
  readonly positions: Position[];
}

function visitPosition(
  visit: Visit,
  type: GraphQLNamedType,
  selectionSets: readonly SelectionSetNode[],
  path: readonly string[],
  inputs?: Inputs,
): void {
  if (!isObjectType(type) && !isInterfaceType(type)) return;
  const leaves = new Map<string, string>();
  const below = new Map<string, { readonly type: GraphQLOutputType; readonly sets: SelectionSetNode[] }>();
  for (const node of selectionSets.flatMap((set) => plainFields(visit.fetch.step, type, set))) {
    const definition = type.getFields()[node.name.value];
    const name = (node.alias ?? node.name).value;
    const leaf = plainLeafOf(type, node);
    if (leaf !== undefined) leaves.set(...leaf);
    else if (definition !== undefined && node.selectionSet !== undefined)
      below
        .getOrInsertComputed(name, () => ({ type: definition.type, sets: [] }))
        .sets.push(node.selectionSet);
  }
  // A key and something beside it; what was sent serves as the key of what came back.
  if (isObjectType(type) && leaves.size > (inputs === undefined ? 1 : 0))
    visit.positions.push({ fetch: visit.fetch, typeName: type.name, path, leaves, inputs });
  for (const [name, { type: belowType, sets }] of below) {
    const named = getNamedType(belowType);
    if (isCompositeType(named)) visitPosition(visit, named, sets, [...path, name, ...listSteps(belowType)]);
  }
}

/** Fields of every object here, whatever its type and the variables: those of fragments on other types are left out. */
function plainFields(
  step: FetchStep,
  type: GraphQLNamedType,
  selectionSet: SelectionSetNode,
): readonly FieldNode[] {
  return selectionSet.selections.flatMap((node) => {
    if ((node.directives?.length ?? 0) > 0) return [];
    if (node.kind === Kind.FIELD) return [node];
    if (node.kind === Kind.INLINE_FRAGMENT) {
      const condition = node.typeCondition?.name.value;
      return condition === undefined || condition === type.name
        ? plainFields(step, type, node.selectionSet)
        : [];
    }
    const body = step.fragments.get(node.name.value);
    return body === undefined ? [] : plainFields(step, type, body);
  });
}

function listSteps(type: GraphQLOutputType): readonly string[] {
  if (isNonNullType(type)) return listSteps(type.ofType);
  return isListType(type) ? ['@', ...listSteps(type.ofType)] : [];
}
