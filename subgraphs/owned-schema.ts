// The executable schema of an owned subgraph: its SDL without live fields, and its resolvers.
import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { splitEventStreams } from '@weft/schema/event-streams';
import { type GraphQLScalarType, type GraphQLSchema, Kind } from 'graphql';
import { dateTimeScalar } from './date-time.ts';

/**
 * Type to field to resolver. Arguments and parents are what the schema says, so each resolver states its own types;
 * `never` as parameters lets all of them in.
 */
export type GraphQLResolverMap = Readonly<
  Record<
    string,
    Readonly<Record<string, (parent: never, args: never, context: never) => unknown>> | GraphQLScalarType
  >
>;

/** Live fields are answered by the gateway from the event log: no subgraph serves them. */
export function buildOwnedSchema(sdlFile: URL, resolvers: GraphQLResolverMap): GraphQLSchema {
  const { servedDocument: typeDefs } = splitEventStreams(readFileSync(sdlFile, 'utf8'), sdlFile.pathname);
  const declaresDateTime = typeDefs.definitions.some(
    (definition) => definition.kind === Kind.SCALAR_TYPE_DEFINITION && definition.name.value === 'DateTime',
  );
  const scalars = declaresDateTime ? { DateTime: dateTimeScalar } : {};
  return buildSubgraphSchema([{ typeDefs, resolvers: { ...resolvers, ...scalars } }]);
}
