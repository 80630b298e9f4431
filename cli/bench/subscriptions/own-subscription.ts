// The subgraph's own subscription over graphql-transport-ws: an event is executed once for each distinct operation, whoever subscribes.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { buildSchema, executeSync, type GraphQLSchema, parse, validate } from 'graphql';
import { type WebSocket, WebSocketServer } from 'ws';
import { executableSdl } from '../workload/executable.ts';
import type { LiveEvent } from './events.ts';
import { liveSdlOf } from './schemas.ts';

export interface OwnSubscription {
  /** Takes a connection over whose upgrade has been read; the head in full, and what came behind it. */
  takeUpgrade(head: string, socket: Socket, rest: Buffer): void;
  emit(event: LiveEvent): void;
  /** Subscriptions that are open. */
  subscriptions(): number;
}

interface Payload {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null;
  readonly operationName?: string | null;
}

interface Operation {
  readonly payload: Payload;
  /** Undefined: every event. */
  readonly division: string | undefined;
  readonly subscribers: Set<Subscriber>;
}

interface Subscriber {
  readonly socket: WebSocket;
  readonly id: string;
}

const PROTOCOL = 'graphql-transport-ws';

export function createOwnSubscription(): OwnSubscription {
  const schema = buildSchema(executableSdl('reviews', (name) => liveSdlOf(name, 1, 'own-subscription')));
  const operations = new Map<string, Operation>();
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  return {
    takeUpgrade(head, socket, rest) {
      sockets.handleUpgrade(toRequest(head), socket, rest, (opened) => serve(schema, operations, opened));
    },
    emit(event) {
      for (const operation of operations.values()) emitTo(schema, operation, event);
    },
    subscriptions: () => [...operations.values()].reduce((sum, { subscribers }) => sum + subscribers.size, 0),
  };
}

/** What `ws` reads of a request; the rest of an IncomingMessage belongs to servers that have one. */
function toRequest(head: string): IncomingMessage {
  const [line = '', ...fields] = head.split('\r\n');
  const [method, url] = line.split(' ');
  const headers = Object.fromEntries(
    fields.flatMap((field) => {
      const colon = field.indexOf(':');
      return colon < 0 ? [] : [[field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]];
    }),
  );
  return { method, url, headers } as unknown as IncomingMessage;
}

interface ClientMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: Payload;
}

function serve(schema: GraphQLSchema, operations: Map<string, Operation>, socket: WebSocket): void {
  const begun = new Map<string, () => void>();
  const end = (id: string) => {
    begun.get(id)?.();
    begun.delete(id);
  };
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    for (const id of [...begun.keys()]) end(id);
  });
  socket.on('message', (data) => {
    const { type, id = '', payload } = JSON.parse(String(data)) as ClientMessage;
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    else if (type === 'ping') socket.send('{"type":"pong"}');
    else if (type === 'complete') end(id);
    else if (type === 'subscribe' && payload !== undefined) {
      const errors = validate(schema, parse(payload.query));
      if (errors.length > 0) socket.send(JSON.stringify({ id, type: 'error', payload: errors }));
      else begun.set(id, join(schema, operations, payload, { socket, id }));
    }
  });
}

/** @returns what ends it */
function join(
  schema: GraphQLSchema,
  operations: Map<string, Operation>,
  { query, variables = null, operationName = null }: Payload,
  subscriber: Subscriber,
): () => void {
  const payload = { query, variables, operationName };
  const key = JSON.stringify(payload);
  const operation = operations.get(key) ?? {
    payload,
    division: divisionAskedFor(schema, payload),
    subscribers: new Set(),
  };
  operations.set(key, operation);
  operation.subscribers.add(subscriber);
  return () => {
    operation.subscribers.delete(subscriber);
    if (operation.subscribers.size === 0) operations.delete(key);
  };
}

/** Executes the operation once without an event, and looks at its argument. */
function divisionAskedFor(schema: GraphQLSchema, payload: Payload): string | undefined {
  let asked: string | null | undefined;
  execute(schema, payload, (division) => {
    asked = division;
    return null;
  });
  return asked ?? undefined;
}

function execute(
  schema: GraphQLSchema,
  { query, variables, operationName }: Payload,
  reviewAdded: (division: string | null | undefined) => object | null,
): unknown {
  return executeSync({
    schema,
    document: parse(query),
    rootValue: { reviewAdded: (args: { readonly division?: string | null }) => reviewAdded(args.division) },
    variableValues: variables ?? null,
    operationName: operationName ?? null,
  });
}

function emitTo(
  schema: GraphQLSchema,
  { payload, division, subscribers }: Operation,
  { id, body, upc, authorId, division: where }: LiveEvent,
): void {
  if (division !== undefined && division !== where) return;
  const event = { id, body, product: { upc }, author: { id: authorId } };
  const result = JSON.stringify(execute(schema, payload, () => event));
  for (const subscriber of subscribers)
    subscriber.socket.send(`{"id":${JSON.stringify(subscriber.id)},"type":"next","payload":${result}}`);
}
