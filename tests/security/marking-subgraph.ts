// A subgraph whose every value says which field it is of, so that whatever leaks can be named.
import { createRequire } from 'node:module';
import {
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
} from 'graphql';
import { type Resolvers, type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';

const fromConnectors = createRequire(new URL('../../connectors/package.json', import.meta.url));
const { buildSubgraphSchema } = fromConnectors('@apollo/subgraph') as {
  buildSubgraphSchema(modules: readonly { typeDefs: ReturnType<typeof parse> }[]): GraphQLSchema;
};

/** What the value of a field of text holds, and nothing else does. */
export function markOf(coordinate: string): string {
  return `«${coordinate}»`;
}

/** Which of the types that one object may have it is: a digit for each type of parent. Lists hold all of them. */
export const typeOfOne = { index: 0 };

/**
 * Serves the SDL: texts are the marks of their fields, followed by all that the subgraph was handed for them (the fields that
 * `@requires` sends, the arguments of `@fromContext`); every list holds one object of each type that it may hold, twice.
 */
export function startMarkingSubgraph(name: string, sdl: string): Promise<SubgraphServer> {
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl) }]);
  const resolvers: Resolvers = {};
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('_')) continue;
    if (isAbstractType(type)) resolvers[type.name] = { __resolveType: typenameOf };
    if (!isObjectType(type)) continue;
    const fields = Object.keys(type.getFields()).filter((field) => !field.startsWith('_'));
    resolvers[type.name] = {
      ...Object.fromEntries(fields.map((field) => [field, mark])),
      ...(sdl.includes('@key') ? { __resolveReference: (reference: unknown) => reference } : {}),
    };
  }
  return startSubgraph(name, sdl, resolvers);
}

function typenameOf(value: { readonly __typename: string }): string {
  return value.__typename;
}

const mark: GraphQLFieldResolver<Record<string, unknown>, unknown> = (source, args, _context, info) => {
  const given = source?.[info.fieldName];
  // Who is asked for what it was sent knows no more of it.
  if (given !== undefined) return given;
  const handed = { ...source, ...args };
  return valueFor(
    info.returnType,
    info,
    `${markOf(`${info.parentType.name}.${info.fieldName}`)}${textOf(handed)}`,
  );
};

/** Without what identifies the object. */
function textOf(handed: Readonly<Record<string, unknown>>): string {
  const { __typename, id, ...rest } = handed;
  return Object.keys(rest).length === 0 ? '' : JSON.stringify(rest);
}

function valueFor(type: GraphQLOutputType, info: GraphQLResolveInfo, text: string): unknown {
  if (isNonNullType(type)) return valueFor(type.ofType, info, text);
  const named = getNamedType(type);
  if (isListType(type)) {
    const items = objectsOf(info.schema, named) ?? [valueFor(type.ofType, info, text)];
    return isListType(type.ofType) ? [items] : [...items, ...items];
  }
  const objects = objectsOf(info.schema, named);
  if (objects !== undefined) {
    const position = objects.findIndex(({ __typename }) => __typename === info.parentType.name);
    return objects[(typeOfOne.index >> Math.max(0, position)) % objects.length];
  }
  if (isEnumType(named)) return named.getValues()[0]?.name;
  return leafOf(named.name, text);
}

function objectsOf(
  schema: GraphQLSchema,
  type: unknown,
): readonly { readonly __typename: string }[] | undefined {
  if (isObjectType(type)) return [{ __typename: type.name }];
  if (!isAbstractType(type)) return undefined;
  return schema.getPossibleTypes(type).map(({ name }) => ({ __typename: name }));
}

function leafOf(name: string, text: string): unknown {
  switch (name) {
    case 'ID':
      return 'id-1';
    case 'Int':
    case 'Float':
      return 424_242;
    case 'Boolean':
      return true;
    case 'DateTime':
      return '2026-11-29T00:00:00.000Z';
    default:
      return text;
  }
}
