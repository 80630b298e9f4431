// What is told of an operation that was used: its normalised text, its hash, and the coordinates that it uses.
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode, OperationTypeNode } from 'graphql';
import { coordinatesOf } from './coordinates.ts';
import { type NormalisedOperation, normaliseOperation } from './normalise-operation.ts';

export interface DescribedOperation extends NormalisedOperation {
  /** Undefined for an anonymous one. */
  readonly name: string | undefined;
  readonly kind: OperationTypeNode;
  /** As `coordinatesOf` has them. */
  readonly coordinates: readonly string[];
}

/**
 * Everything of an operation that a report of use says (docs/registry.md, `OperationUseInput`). Pure: equal operations have
 * equal descriptions, so that it may be kept by document and name, for as long as the schema stands.
 * @param schema the one that clients see (API schema)
 * @param document valid against it, with the operation in it
 */
export function describeOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): DescribedOperation {
  return {
    ...normaliseOperation(document, operation),
    name: operation.name?.value,
    kind: operation.operation,
    coordinates: coordinatesOf(schema, document, operation),
  };
}
