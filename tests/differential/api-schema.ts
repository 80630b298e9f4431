// What clients of a supergraph see, by Apollo's reading of it with every feature allowed: the judge's types.
import { createRequire } from 'node:module';
import type { GraphQLSchema } from 'graphql';

const fromGateway = createRequire(new URL('../../gateway/package.json', import.meta.url));
const { Supergraph, ROUTER_SUPPORTED_SUPERGRAPH_FEATURES } = fromGateway('@apollo/federation-internals') as {
  Supergraph: {
    build(
      sdl: string,
      options: { readonly supportedFeatures: ReadonlySet<string> },
    ): {
      apiSchema(options: { readonly includeDefer: boolean }): {
        toGraphQLJSSchema(options: { readonly includeDefer: boolean }): GraphQLSchema;
      };
    };
  };
  ROUTER_SUPPORTED_SUPERGRAPH_FEATURES: ReadonlySet<string>;
};

/** With `@defer`, which a judge may leave out of account: what is deferred is what comes, only later. */
export function readApiSchema(supergraphSdl: string): GraphQLSchema {
  const supergraph = Supergraph.build(supergraphSdl, {
    supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES,
  });
  const options = { includeDefer: true };
  return supergraph.apiSchema(options).toGraphQLJSSchema(options);
}
