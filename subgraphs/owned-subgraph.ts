// What the server of the owned subgraphs needs to know of each.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLResolverMap } from './owned-schema.ts';

/** Reads the value of `weft-principal`; undefined where requests need no signature. */
export type PrincipalOf = (request: FastifyRequest) => string | undefined;

/** What a subgraph answers besides GraphQL, below `/<name>/<path>`. */
export interface Endpoint {
  readonly path: string;
  /** Bodies of POST are streams of any length there: their signature covers all but them. */
  readonly register: (scope: FastifyInstance, principalOf: PrincipalOf) => void;
}

/** An opened subgraph with its store; who opened it closes it. */
export interface OwnedSubgraph {
  /** Its name in the supergraph, the segment of its URL, and its PostgreSQL schema. */
  readonly name: string;
  /** Its name for people, in simplified Chinese. */
  readonly title: string;
  readonly sdlFile: URL;
  readonly resolvers: GraphQLResolverMap;
  /**
   * What the resolvers of one request share: its loaders, and who asks.
   * @param principal value of `weft-principal`; undefined where requests need no signature, for then anybody could have written it
   */
  readonly createContext: (principal: string | undefined) => Record<string, unknown>;
  readonly endpoints?: readonly Endpoint[];
  close(): Promise<void>;
}
