// Puts truths behind graphql-js: values become positions, and what is hidden from clients becomes null.
import {
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  type SelectionSetNode,
} from 'graphql';
import type { Graph, Instance, Position } from '../graph/model.ts';
import { isInstance } from '../graph/truth.ts';

export function rootPosition(operation: 'Query' | 'Mutation'): Position {
  return { instance: { type: operation, id: '' }, contexts: new Map() };
}

/** Every instance in a value, however deep in lists, as the position that it is from here. */
export function positionsOf(
  value: unknown,
  contexts: ReadonlyMap<string, Instance>,
  provided: SelectionSetNode | undefined,
): unknown {
  if (Array.isArray(value)) return value.map((item) => positionsOf(item, contexts, provided));
  return isInstance(value) ? ({ instance: value, contexts, provided } satisfies Position) : value;
}

/** The contexts that hold below an instance. */
export function contextsBelow(graph: Graph, { instance, contexts }: Position): ReadonlyMap<string, Instance> {
  const name = graph.contexts.get(instance.type);
  return name === undefined ? contexts : new Map([...contexts, [name, instance]]);
}

/** Types and enum values that the schema does not have are null to its clients. */
export function hideUnknown(schema: GraphQLSchema, info: GraphQLResolveInfo, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => hideUnknown(schema, info, item));
  if (isInstance(value)) return schema.getType(value.type) === undefined ? null : value;
  const type = getNamedType(info.returnType);
  return isEnumType(type) && typeof value === 'string' && type.getValue(value) === undefined ? null : value;
}
