// The judge: one graphql-js schema over the whole data, with every field resolved where it stands.
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  printSchema,
} from 'graphql';
import type { Graph, Position } from '../graph/model.ts';
import { truthOf } from '../graph/truth.ts';
import { contextsBelow, hideUnknown, positionsOf, rootPosition } from './resolve.ts';

export interface Monolith {
  readonly schema: GraphQLSchema;
  run(document: DocumentNode, variables: Readonly<Record<string, unknown>>): Promise<ExecutionResult>;
}

/** @param apiSchema what clients of the graph see; rebuilt from its text, so that nothing is shared with a gateway */
export function createMonolith(graph: Graph, apiSchema: GraphQLSchema): Monolith {
  const schema = buildSchema(printSchema(apiSchema));
  return {
    schema,
    async run(document, variableValues) {
      graph.clock.ticks = 0;
      const isMutation = document.definitions.some(
        (node) => node.kind === 'OperationDefinition' && node.operation === 'mutation',
      );
      return execute({
        schema,
        document,
        variableValues,
        rootValue: rootPosition(isMutation ? 'Mutation' : 'Query'),
        typeResolver: (position: Position) => position.instance.type,
        fieldResolver: (position: Position, args, _context, info) => {
          const value = truthOf(graph, position.instance.type, info.fieldName)(position, args);
          return positionsOf(hideUnknown(schema, info, value), contextsBelow(graph, position), undefined);
        },
      });
    },
  };
}
