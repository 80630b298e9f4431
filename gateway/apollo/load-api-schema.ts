// The schema that clients of a supergraph see, by Apollo's own reading of it.
import { Supergraph } from '@apollo/federation-internals';
import { OperatorError } from '@weft/core/errors';
import type { GraphQLSchema } from 'graphql';

/** @throws OperatorError when the text is not a supergraph that Apollo's packages read */
export function loadApiSchema(supergraphSdl: string): GraphQLSchema {
  try {
    return Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema();
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new OperatorError(`the supergraph cannot be used: ${reason}`, { exitCode: 2, cause: thrown });
  }
}
