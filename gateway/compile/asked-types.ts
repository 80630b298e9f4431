// Of which object types the client asks for a field at a plan's path, whatever the variables say.
import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import type { PlannedOperation } from '../plan/prepare.ts';
import {
  type CollectOptions,
  collectGuarded,
  type GuardedNode,
  type GuardedSelection,
} from './collect-guarded.ts';

/**
 * Names of object types.
 * @param schema what clients see
 * @param path as a fetch has it; its type conditions are passed over
 * @param names response names, one of which is asked for
 */
export function askedTypesAt(
  schema: GraphQLSchema,
  planned: Asked,
  path: readonly string[],
  names: readonly string[],
): readonly string[] {
  return typesAsking(schema, planned, path, (fields) => names.some((name) => fields.has(name)));
}

type Asked = Pick<PlannedOperation, 'operation' | 'fragments' | 'rootType'>;

/**
 * Names of object types of which the client asks at the path what `isAsked` looks for.
 * @param isAsked given all that is asked of one type, by response name
 */
export function typesAsking(
  schema: GraphQLSchema,
  planned: Asked,
  path: readonly string[],
  isAsked: (fields: ReadonlyMap<string, readonly GuardedNode[]>) => boolean,
): readonly string[] {
  const options: CollectOptions = { schema, fragments: planned.fragments, known: undefined };
  let types: readonly GraphQLObjectType[] = [planned.rootType];
  let selections: readonly GuardedSelection[] = [{ selectionSet: planned.operation.selectionSet, guard: [] }];
  for (const segment of path) {
    if (segment === '@' || segment.startsWith('... on ')) continue;
    const below: GuardedSelection[] = [];
    const belowTypes = new Set<GraphQLNamedType>();
    for (const type of types) {
      for (const { node, guard } of collectGuarded(options, type, selections).get(segment) ?? []) {
        const field = type.getFields()[node.name.value];
        if (field !== undefined) belowTypes.add(getNamedType(field.type));
        if (node.selectionSet !== undefined) below.push({ selectionSet: node.selectionSet, guard });
      }
    }
    types = [...new Set([...belowTypes].flatMap((type) => objectTypesOf(schema, type)))];
    selections = below;
  }
  return types.filter((type) => isAsked(collectGuarded(options, type, selections))).map((type) => type.name);
}

function objectTypesOf(schema: GraphQLSchema, type: GraphQLNamedType): readonly GraphQLObjectType[] {
  if (isObjectType(type)) return [type];
  return isAbstractType(type) ? schema.getPossibleTypes(type) : [];
}
