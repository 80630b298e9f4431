// A subgraph in the test's own process: a real HTTP server on a free port, built by @apollo/subgraph, with fault switches.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { delay } from '@weft/core/deadline';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  parse,
  validate,
} from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const fromConnectors = createRequire(new URL('../../connectors/package.json', import.meta.url));
const { buildSubgraphSchema } = fromConnectors('@apollo/subgraph') as {
  buildSubgraphSchema(modules: readonly { typeDefs: DocumentNode; resolvers: Resolvers }[]): GraphQLSchema;
};

// biome-ignore lint/suspicious/noExplicitAny: resolvers of many shapes, as graphql-tools takes them.
export type Resolvers = Record<string, Record<string, any>>;

/** What the server does instead of answering. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly body: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'reset-once' }
  | { readonly kind: 'rewrite'; rewrite(body: string): string };

export interface ReceivedRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage['headers'];
}

export interface SubgraphServer {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
  readonly requests: ReceivedRequest[];
  fault: Fault | undefined;
  /** Requests that their client gave up. */
  abandoned: number;
  /** Sockets that are open now. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export async function startSubgraph(
  name: string,
  sdl: string,
  resolvers: Resolvers,
  served = sdl,
): Promise<SubgraphServer> {
  const schema = buildSubgraphSchema([{ typeDefs: parse(served), resolvers }]);
  const http = createServer((request, response) => void answer(server, schema, request, response));
  const sockets = serveSubscriptions(http, schema);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: SubgraphServer = {
    name,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`,
    sdl,
    requests: [],
    fault: undefined,
    abandoned: 0,
    connections: () => new Promise((resolve) => http.getConnections((_error, count) => resolve(count))),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets?.clients ?? []) socket.terminate();
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}

/** Where the subgraph has subscriptions of its own: graphql-transport-ws on the same URL. */
function serveSubscriptions(server: Server, schema: GraphQLSchema): WebSocketServer | undefined {
  if (!schema.getSubscriptionType()) return undefined;
  const sockets = new WebSocketServer({ server, path: '/graphql' });
  useServer({ schema }, sockets);
  return sockets;
}

const KNOWN_TEXTS_MAX = 1_000;
/** What was made of the texts that a schema was asked: a gateway asks few, and many times. */
const known = new WeakMap<GraphQLSchema, Map<string, DocumentNode | ExecutionResult>>();

function read(schema: GraphQLSchema, query: string): DocumentNode | ExecutionResult {
  try {
    const document = parse(query);
    const errors = validate(schema, document);
    return errors.length > 0 ? { errors } : document;
  } catch (thrown) {
    return { errors: [thrown as GraphQLError] };
  }
}

async function run(
  schema: GraphQLSchema,
  query: string,
  variableValues: Record<string, unknown>,
): Promise<ExecutionResult> {
  const texts = known.get(schema) ?? new Map<string, DocumentNode | ExecutionResult>();
  known.set(schema, texts);
  const found = texts.get(query) ?? read(schema, query);
  if (texts.size < KNOWN_TEXTS_MAX) texts.set(query, found);
  return 'kind' in found ? await execute({ schema, document: found, variableValues }) : found;
}

async function answer(
  server: SubgraphServer,
  schema: GraphQLSchema,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { query, variables } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  server.requests.push({ query, variables, headers: request.headers });
  const { fault } = server;
  response.once('close', () => {
    if (!response.writableEnded) server.abandoned += 1;
  });
  if (fault?.kind === 'silent') return;
  if (fault?.kind === 'delay') await delay(fault.delayMs);
  if (fault?.kind === 'status') {
    response.writeHead(fault.status, { 'content-type': 'text/html' }).end(fault.body);
    return;
  }
  if (fault?.kind === 'reset-once') {
    server.fault = undefined;
    request.socket.destroy();
    return;
  }
  const result = await run(schema, query, variables);
  const body = JSON.stringify(result);
  if (fault?.kind === 'truncate') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
    response.write(body.slice(0, body.length / 2), () => request.socket.destroy());
    return;
  }
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(fault?.kind === 'rewrite' ? fault.rewrite(body) : body);
}
