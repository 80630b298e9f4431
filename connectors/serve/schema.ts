// Builds the executable subgraph schema of one wrapped system.
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  Kind,
  parse,
  type TypeNode,
} from 'graphql';
import type { SystemPlan } from '../plan.ts';
import { buildResolvers, type ServedField } from './resolvers.ts';

/** The schema of `plan.servedSdl`: `_service { sdl }` holds no connector directive, since the served SDL has none. */
export function buildServedSchema(plan: SystemPlan): GraphQLSchema {
  const typeDefs = parse(plan.servedSdl);
  return buildSubgraphSchema([{ typeDefs, resolvers: buildResolvers(plan, servedFields(typeDefs)) }]);
}

/** Every field of every object type of a document, extensions too. */
export function servedFields(document: DocumentNode): readonly ServedField[] {
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION
      ? (definition.fields ?? []).map((field) => servedField(definition.name.value, field))
      : [],
  );
}

function servedField(parentType: string, field: FieldDefinitionNode): ServedField {
  let type: TypeNode = field.type;
  let isList = false;
  while (type.kind !== Kind.NAMED_TYPE) {
    isList ||= type.kind === Kind.LIST_TYPE;
    type = type.type;
  }
  return { parentType, name: field.name.value, returnType: type.name.value, isList };
}
