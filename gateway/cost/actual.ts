// What an answer did cost, counted in the objects that came.
import {
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { type CostOptions, MUTATION_COST, weightOf } from './estimate.ts';

/** A field of the answer, whatever stands for it in the document. */
interface Counted {
  weight: number;
  readonly children: Map<string, Counted>;
}

/** Walks as much of the answer as the operation asked for; what was not answered costs nothing. */
export function createActualCost(
  options: CostOptions,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): (data: unknown) => number {
  const root = new Map<string, Counted>();
  const rootType = options.schema.getRootType(operation.operation);
  if (rootType) collect(options, operation.selectionSet, rootType, fragments, root);
  const own = operation.operation === 'mutation' ? MUTATION_COST : 0;
  return (data) => own + count(data, root);
}

function collect(
  options: CostOptions,
  { selections }: SelectionSetNode,
  parent: GraphQLCompositeType,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  into: Map<string, Counted>,
): void {
  for (const node of selections) {
    if (node.kind !== Kind.FIELD) {
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      if (fragment === undefined) continue;
      const named = fragment.typeCondition && options.schema.getType(fragment.typeCondition.name.value);
      const type = named !== undefined && isCompositeType(named) ? named : parent;
      collect(options, fragment.selectionSet, type, fragments, into);
      continue;
    }
    const declares = isObjectType(parent) || isInterfaceType(parent);
    const field = declares ? parent.getFields()[node.name.value] : undefined;
    if (field === undefined) continue;
    const responseName = (node.alias ?? node.name).value;
    const counted = into.get(responseName) ?? { weight: 0, children: new Map<string, Counted>() };
    into.set(responseName, counted);
    counted.weight = Math.max(counted.weight, weightOf(options, `${parent.name}.${field.name}`, field));
    const type = getNamedType(field.type);
    if (node.selectionSet !== undefined && isCompositeType(type))
      collect(options, node.selectionSet, type, fragments, counted.children);
  }
}

function count(value: unknown, fields: ReadonlyMap<string, Counted>): number {
  if (typeof value !== 'object' || value === null) return 0;
  let sum = 0;
  for (const [name, counted] of fields)
    sum += countField((value as Readonly<Record<string, unknown>>)[name], counted);
  return sum;
}

function countField(value: unknown, counted: Counted): number {
  if (value === null || value === undefined) return 0;
  if (!Array.isArray(value)) return counted.weight + count(value, counted.children);
  let sum = 0;
  for (const item of value) sum += countField(item, counted);
  return sum;
}
