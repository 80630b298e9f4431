// The schema that clients see, of a supergraph's text.
import { Supergraph } from '@apollo/federation-internals';
import { OperatorError } from '@weft/core/errors';
import type { GraphQLSchema } from 'graphql';

/**
 * Without what is `@inaccessible`, and without types and directives of linked specifications. `@defer` is known.
 * @throws OperatorError when the text is no supergraph
 */
export function buildApiSchema(supergraphSdl: string): GraphQLSchema {
  try {
    // It was composed, so that neither its features nor its text are looked at again.
    const options = { supportedFeatures: null, validateSupergraph: false };
    return Supergraph.build(supergraphSdl, options).apiSchema().toGraphQLJSSchema({ includeDefer: true });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new OperatorError(`the supergraph cannot be read: ${reason}`, { cause: thrown });
  }
}
