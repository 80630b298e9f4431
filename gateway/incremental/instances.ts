// Finds the objects of an answer at which a deferred fragment stands, with their types and paths.
import {
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { type DataObject, type DataValue, isDataObject, type Path, readOwn } from '../execute/data.ts';
import type { DeferredFragment, Segment } from './split-selection.ts';

/** An object that the client has, and what of it subgraphs have sent. */
export interface Instance {
  readonly path: Path;
  /** An interface stands for its objects where no more is known of them, as in completion. */
  readonly type: GraphQLObjectType | GraphQLInterfaceType;
  /** As completed: what the client was sent. */
  readonly completed: DataObject;
  /** As merged. */
  readonly data: DataObject;
}

/**
 * The objects at the fragment's place below `from`. What the client was sent as null, or not at all, has none; so have objects
 * of types that the fragment or one around it is not for.
 * @param schema what clients see
 */
export function findInstances(
  schema: GraphQLSchema,
  from: Instance,
  fragment: DeferredFragment,
): readonly Instance[] {
  const segments: readonly Segment[] =
    fragment.typeCondition === undefined
      ? fragment.path
      : [...fragment.path, { kind: 'type', typeName: fragment.typeCondition }];
  const found: Instance[] = [];
  follow(schema, from, segments, 0, found);
  return found;
}

function follow(
  schema: GraphQLSchema,
  instance: Instance,
  segments: readonly Segment[],
  at: number,
  found: Instance[],
): void {
  const segment = segments[at];
  if (segment === undefined) {
    found.push(instance);
    return;
  }
  if (segment.kind === 'type') {
    if (isOfType(schema, instance.type, segment.typeName)) follow(schema, instance, segments, at + 1, found);
    return;
  }
  const definition = instance.type.getFields()[segment.field];
  if (definition === undefined) return;
  const { responseName } = segment;
  const visit = (completed: DataValue, data: DataValue, path: Path): void => {
    if (Array.isArray(completed)) {
      if (!Array.isArray(data)) return;
      for (const [index, item] of completed.entries()) visit(item, data[index], [...path, index]);
      return;
    }
    if (!isDataObject(completed) || !isDataObject(data)) return;
    const type = runtimeType(schema, getNamedType(definition.type), data);
    if (type !== undefined) follow(schema, { path, type, completed, data }, segments, at + 1, found);
  };
  visit(readOwn(instance.completed, responseName), readOwn(instance.data, responseName), [
    ...instance.path,
    responseName,
  ]);
}

function runtimeType(
  schema: GraphQLSchema,
  type: GraphQLNamedType,
  data: DataObject,
): Instance['type'] | undefined {
  if (isObjectType(type)) return type;
  const name = readOwn(data, '__typename');
  // A subgraph that knows an interface as an object type says the interface's name.
  if (isInterfaceType(type) && name === type.name) return type;
  const named = typeof name === 'string' ? schema.getType(name) : undefined;
  return isObjectType(named) ? named : undefined;
}

function isOfType(schema: GraphQLSchema, type: Instance['type'], condition: string): boolean {
  if (type.name === condition) return true;
  const named = schema.getType(condition);
  return isAbstractType(named) && schema.isSubType(named, type);
}
