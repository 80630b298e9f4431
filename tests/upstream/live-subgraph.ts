// A subgraph with subscriptions of its own in the test's process: graphql-ws's and graphql-sse's servers, counted, killed and started again.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { type DocumentNode, type GraphQLSchema, graphql, parse } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/http';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Resolvers } from '../gateway/subgraph-server.ts';
import { waitFor } from '../support/wait.ts';

const fromConnectors = createRequire(new URL('../../connectors/package.json', import.meta.url));
const { buildSubgraphSchema } = fromConnectors('@apollo/subgraph') as {
  buildSubgraphSchema(modules: readonly { typeDefs: DocumentNode; resolvers: Resolvers }[]): GraphQLSchema;
};

export interface ReceivedSubscription {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface LiveSubgraphOptions {
  readonly name: string;
  readonly sdl: string;
  readonly resolvers?: Resolvers;
  /** The field of Subscription that `publish` answers. */
  readonly field: string;
}

/** One subscription as the subgraph's code has it. */
class Feed implements AsyncIterableIterator<unknown> {
  readonly #waiting: PromiseWithResolvers<IteratorResult<unknown>>[] = [];
  readonly #values: unknown[] = [];
  readonly #onEnd: () => void;
  #isOver = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  push(value: unknown): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#values.push(value);
    else waiter.resolve({ value, done: false });
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#values.length > 0) return Promise.resolve({ value: this.#values.shift(), done: false });
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    const waiter = Promise.withResolvers<IteratorResult<unknown>>();
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#isOver = true;
    this.#onEnd();
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export async function startLiveSubgraph(options: LiveSubgraphOptions): Promise<LiveSubgraph> {
  const subgraph = new LiveSubgraph(options);
  await subgraph.start();
  return subgraph;
}

export class LiveSubgraph {
  readonly name: string;
  readonly sdl: string;
  /** Subscriptions that were ever asked for over WebSockets. */
  readonly received: ReceivedSubscription[] = [];
  /** Headers of every upgrade, or request for a stream. */
  readonly heads: IncomingHttpHeaders[] = [];
  /** Every upgrade, or request for a stream. */
  readonly requests: IncomingMessage[] = [];
  /** Payloads of every ConnectionInit. */
  readonly payloads: unknown[] = [];
  /** Queries that were asked. */
  readonly queries: string[] = [];
  port = 0;
  readonly #field: string;
  readonly #schema: GraphQLSchema;
  readonly #feeds = new Set<Feed>();
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;
  #webSockets: WebSocketServer | undefined;
  #streams = 0;

  constructor({ name, sdl, field, resolvers = {} }: LiveSubgraphOptions) {
    this.name = name;
    this.sdl = sdl;
    this.#field = field;
    const live = { Subscription: { [field]: { subscribe: () => this.#open() } } };
    this.#schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: { ...resolvers, ...live } }]);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}/graphql`;
  }

  /** Subscriptions that are open. */
  active(): number {
    return this.#feeds.size;
  }

  /** WebSockets that are open, and streams. */
  sockets(): number {
    return (this.#webSockets?.clients.size ?? 0) + this.#streams;
  }

  /** To everybody who is subscribed now: the value of the root field. */
  publish(value: unknown): void {
    for (const feed of this.#feeds) feed.push({ [this.#field]: value });
  }

  /** As the subgraph's own code does it. */
  complete(): void {
    for (const feed of [...this.#feeds]) void feed.return();
  }

  /** On the port that it had. */
  async start(): Promise<void> {
    const sse = createHandler({ schema: this.#schema });
    const server = createServer((request, response) => void this.#answer(request, response, sse));
    this.#server = server;
    server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#webSockets = new WebSocketServer({ server, path: '/graphql' });
    this.#webSockets.on('connection', (_socket, request) => this.#note(request));
    useServer(
      {
        schema: this.#schema,
        onConnect: ({ connectionParams }) => {
          this.payloads.push(connectionParams);
          return true;
        },
        onSubscribe: (_context, _id, { query, variables }) => {
          this.received.push({ query, variables: variables ?? {} });
        },
      },
      this.#webSockets,
    );
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
  }

  /** Listens no more, and resets every connection. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#connections) socket.resetAndDestroy();
    await closed;
    await waitFor('the feeds of the connections to be over', () => this.#feeds.size === 0);
  }

  #note(request: IncomingMessage): void {
    this.requests.push(request);
    this.heads.push(request.headers);
  }

  #open(): Feed {
    const feed = new Feed(() => this.#feeds.delete(feed));
    this.#feeds.add(feed);
    return feed;
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    sse: ReturnType<typeof createHandler>,
  ): Promise<void> {
    if (request.headers.accept === 'text/event-stream') {
      this.#note(request);
      this.#streams += 1;
      response.on('close', () => {
        this.#streams -= 1;
      });
      // Its handler rejects when it was writing to who has left.
      await sse(request, response).catch(() => response.destroy());
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    this.queries.push(query);
    const result = await graphql({ schema: this.#schema, source: query, variableValues: variables });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  }
}
