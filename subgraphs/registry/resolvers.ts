// Resolvers of the subgraph registry.
import { createMutationResolvers } from './mutations.ts';
import type { RegistryParts } from './parts.ts';
import { createQueryResolvers, createTypeResolvers } from './queries.ts';
import type { SupergraphSigner } from './supergraph.ts';

/** @param signer undefined: gateways are given nothing */
export function createRegistryResolvers(parts: RegistryParts, signer: SupergraphSigner | undefined) {
  return {
    Query: createQueryResolvers(parts, signer),
    Mutation: createMutationResolvers(parts),
    ...createTypeResolvers(parts),
  };
}
