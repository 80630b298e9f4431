// Shapes what an event brings into the answer of a subscription's primary fetch, as the planner expects it.
import {
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { FetchStep } from '../plan/planner.ts';
import { isIncluded, type Variables } from './collect-fields.ts';
import { createObject, type DataObject, type DataValue } from './data.ts';

/**
 * The data that the fetch's selection asks of `message`, under the client's names, with `__typename` at every object:
 * entity fetches begin from it.
 * @param message the live field's value; only own keys that are selected are read
 */
export function projectMessage(
  schema: GraphQLSchema,
  primary: FetchStep,
  variables: Variables,
  message: Readonly<Record<string, unknown>>,
): DataObject {
  const data = createObject();
  const rootType = schema.getSubscriptionType();
  for (const node of primary.selection.selections) {
    if (node.kind !== Kind.FIELD || !isIncluded(node, variables)) continue;
    const type = rootType?.getFields()[node.name.value]?.type;
    if (type === undefined) continue;
    const projection: Projection = { schema, primary, variables };
    data[(node.alias ?? node.name).value] = project(projection, type, node.selectionSet, message);
  }
  return data;
}

interface Projection {
  readonly schema: GraphQLSchema;
  readonly primary: FetchStep;
  readonly variables: Variables;
}

function project(
  projection: Projection,
  type: GraphQLOutputType,
  selectionSet: SelectionSetNode | undefined,
  value: unknown,
): DataValue {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((item) => project(projection, type, selectionSet, item));
  if (typeof value !== 'object' || selectionSet === undefined) return value as DataValue;
  const data = createObject();
  addFields(
    projection,
    getNamedType(type).name,
    selectionSet,
    value as Readonly<Record<string, unknown>>,
    data,
  );
  return data;
}

function addFields(
  projection: Projection,
  typeName: string,
  selectionSet: SelectionSetNode,
  value: Readonly<Record<string, unknown>>,
  data: DataObject,
): void {
  const type = projection.schema.getType(typeName);
  data.__typename = typeName;
  for (const node of selectionSet.selections) {
    if (!isIncluded(node, projection.variables)) continue;
    if (node.kind !== Kind.FIELD) {
      const body =
        node.kind === Kind.INLINE_FRAGMENT
          ? node.selectionSet
          : projection.primary.fragments.get(node.name.value);
      if (body !== undefined) addFields(projection, typeName, body, value, data);
      continue;
    }
    const name = node.name.value;
    const responseName = (node.alias ?? node.name).value;
    if (name === '__typename') data[responseName] = typeName;
    const field = isObjectType(type) ? type.getFields()[name] : undefined;
    if (field === undefined) continue;
    const own = Object.hasOwn(value, name) ? value[name] : null;
    data[responseName] = project(projection, field.type, node.selectionSet, own);
  }
}
