// Serves every owned subgraph at `/<name>/graphql` of one port.
import { requireSignature } from '@weft/connectors/serve/require-signature';
import type { Logger } from '@weft/core/logger';
import { keysOf, type SubgraphKey } from '@weft/core/signatures/keys';
import { PRINCIPAL_HEADER } from '@weft/core/signatures/sign';
import fastify, { type FastifyRequest } from 'fastify';
import mercurius from 'mercurius';
import { formatExecution } from './format-error.ts';
import { buildOwnedSchema } from './owned-schema.ts';
import type { OwnedSubgraph, PrincipalOf } from './owned-subgraph.ts';
import { boundByDeadline, DEADLINE_HEADER, startDeadline } from './request-deadline.ts';

/** A batch of representations is long. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
const QUERY_DEPTH_MAX = 30;
/** After so many runs an operation is compiled. */
const JIT_RUNS_MIN = 1;

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Of the gateways that may ask; undefined: whoever reaches the port may. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  readonly logger: Logger;
}

export interface Served {
  /** Name to URL. */
  readonly urls: Readonly<Record<string, string>>;
  /** Ends the requests in flight, then the port. The subgraphs are the caller's to close. */
  close(): Promise<void>;
}

/** Its signature covers it, and a header that is there twice is refused with it. */
function principalOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

function streamedPaths(subgraphs: readonly OwnedSubgraph[]): ReadonlySet<string> {
  return new Set(
    subgraphs.flatMap(({ name, endpoints = [] }) => endpoints.map(({ path }) => `/${name}/${path}`)),
  );
}

/** @throws when the port is in use */
export async function serveSubgraphs(
  subgraphs: readonly OwnedSubgraph[],
  options: ServeOptions,
): Promise<Served> {
  const { host, port, subgraphKeys, logger } = options;
  const keys = keysOf(
    subgraphs.map(({ name }) => name),
    subgraphKeys,
  );
  const app = fastify({ bodyLimit: BODY_BYTES_MAX, forceCloseConnections: 'idle' });
  const streamed = streamedPaths(subgraphs);
  const isStreamed = ({ method, url }: FastifyRequest) =>
    method === 'POST' && streamed.has(url.split('?', 1)[0]?.replace(/\/$/, '') ?? '');
  requireSignature(app, { keys, bodyBytesMax: BODY_BYTES_MAX, isStreamed, logger });
  const principal: PrincipalOf = ({ headers }) =>
    keys === undefined ? undefined : principalOf(headers[PRINCIPAL_HEADER]);
  for (const { name, sdlFile, resolvers, createContext, endpoints = [] } of subgraphs) {
    for (const { path, register } of endpoints)
      await app.register(async (scope) => register(scope, principal), { prefix: `/${name}/${path}` });
    // A scope of its own each: Mercurius decorates the one it is registered in.
    await app.register(async (scope) => {
      // Mercurius' own answer schema would turn the indices of an error's path into text.
      scope.setSerializerCompiler(() => JSON.stringify);
      await scope.register(mercurius, {
        schema: buildOwnedSchema(sdlFile, boundByDeadline(resolvers)),
        path: `/${name}/graphql`,
        context: (request, reply) => ({
          ...createContext(principal(request)),
          deadline: startDeadline(request.headers[DEADLINE_HEADER], reply.raw),
        }),
        jit: JIT_RUNS_MIN,
        queryDepth: QUERY_DEPTH_MAX,
        graphiql: false,
        errorFormatter: (execution) => formatExecution(execution, logger),
      });
    });
  }
  await app.listen({ host, port });
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  return {
    urls: Object.fromEntries(subgraphs.map(({ name }) => [name, `${origin}/${name}/graphql`])),
    close: () => app.close(),
  };
}
