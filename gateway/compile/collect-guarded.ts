// CollectFields (GraphQL 2025-09, 6.3.2) while code is generated: conditions that are not known yet stay as guards.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type Guard, guardOf, type KnownConditions } from './conditions.ts';
import { isWithin } from './type-names.ts';

/** A node that asks for a field, and when it does. */
export interface GuardedNode {
  readonly node: FieldNode;
  readonly guard: Guard;
}

/** A selection set, and when it counts. */
export interface GuardedSelection {
  readonly selectionSet: SelectionSetNode;
  readonly guard: Guard;
}

export interface CollectOptions {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly known: KnownConditions;
}

/** Response name to the nodes that ask for it of the object type. */
export function collectGuarded(
  options: CollectOptions,
  type: GraphQLObjectType | GraphQLInterfaceType,
  selections: readonly GuardedSelection[],
): ReadonlyMap<string, readonly GuardedNode[]> {
  const fields = new Map<string, GuardedNode[]>();
  const spread = new Set<string>();
  for (const { selectionSet, guard } of selections) walk(options, type, selectionSet, guard, fields, spread);
  return fields;
}

function walk(
  options: CollectOptions,
  type: GraphQLObjectType | GraphQLInterfaceType,
  selectionSet: SelectionSetNode,
  outer: Guard,
  fields: Map<string, GuardedNode[]>,
  spread: Set<string>,
): void {
  for (const node of selectionSet.selections) {
    const guard = guardOf(node, outer, options.known);
    if (guard === undefined) continue;
    if (node.kind === Kind.FIELD) {
      const responseName = (node.alias ?? node.name).value;
      fields.getOrInsertComputed(responseName, () => []).push({ node, guard });
      continue;
    }
    const body =
      node.kind === Kind.INLINE_FRAGMENT ? node : takeFragment(options, node.name.value, guard, spread);
    if (body === undefined) continue;
    const condition = body.typeCondition?.name.value;
    if (condition === undefined || isWithin(options.schema, type.name, condition))
      walk(options, type, body.selectionSet, guard, fields, spread);
  }
}

/** A fragment that was spread without a condition adds nothing when it is spread again. */
function takeFragment(
  { fragments }: CollectOptions,
  name: string,
  guard: Guard,
  spread: Set<string>,
): FragmentDefinitionNode | undefined {
  const key = JSON.stringify([name, ...guard.map(({ variable, value }) => `${variable}=${value}`)]);
  if (spread.has(name) || spread.has(key)) return undefined;
  spread.add(guard.length === 0 ? name : key);
  return fragments.get(name);
}
