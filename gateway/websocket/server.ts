// GraphQL over WebSocket (graphql-transport-ws) on an HTTP server's upgrades.
import type { Server as HttpServer, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { type ExecutionArgs, parse } from 'graphql';
import { handleProtocols, makeServer, type Server } from 'graphql-ws';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { createDocuments, type Documents } from '../documents/documents.ts';
import type { Engine } from '../engine.ts';
import { type Identity, WITHOUT_IDENTITY } from '../identity/identity.ts';
import { readClientPayload } from '../observe/client-identity.ts';
import { createObserver, type Observer } from '../observe/observer.ts';
import type { EventStreams } from '../subscribe/event-streams.ts';
import { WEBSOCKET_LIMITS, type WebSocketLimits } from './limits.ts';
import { createOperations, type Operations, type ReadyOperation } from './operations.ts';
import { refuseUpgrade, type UpgradeRefusal } from './refuse-upgrade.ts';
import {
  closeWhenIdle,
  credentialsEnded,
  openSession,
  type Session,
  type SessionOptions,
} from './session.ts';
import { type ConnectionExtra, serveSocket } from './socket.ts';

export interface WebSocketOptions {
  readonly server: HttpServer;
  /** Path of the URL, without its query; default `/graphql`. */
  readonly path?: string;
  /** The engine of now; an operation keeps the one that it began on. */
  engine(): Engine;
  /** Who connects; absent: nobody's credentials are taken. */
  readonly identity?: Pick<Identity, 'identifyConnection' | 'watchEnd'> | undefined;
  /** Absent: subscriptions end with STORE_UNAVAILABLE. */
  readonly streams?: EventStreams | undefined;
  readonly logger: Logger;
  readonly limits?: Partial<WebSocketLimits>;
  /** Default: documents are sent as text. */
  readonly documents?: Documents | undefined;
  /** Whether an upgrade with these headers is welcome; default every one. */
  readonly allowsOrigin?: ((headers: IncomingHttpHeaders) => boolean) | undefined;
  /** Absent: each operation has its line in the log, and nothing else is told of it. */
  readonly observer?: Observer;
}

export interface WebSocketTransport {
  /** Sockets that are open. */
  connections(): number;
  /**
   * Takes no more sockets and operations, lets queries and mutations finish, then closes every socket with `code`
   * (1001 going away, 1012 restarting) and cuts off those that do not answer: ends within drainTimeoutMs + closeTimeoutMs.
   */
  close(code?: 1001 | 1012): Promise<void>;
}

/** Serves queries, mutations and subscriptions to every client that upgrades on `path`. */
export function attachWebSocket(options: WebSocketOptions): WebSocketTransport {
  const { server, logger, path = '/graphql', observer = createObserver({ logger }) } = options;
  const limits = { ...WEBSOCKET_LIMITS, ...options.limits };
  const operations = createOperations({
    engine: options.engine,
    documents: options.documents ?? createDocuments(),
    streams: options.streams,
    logger,
    observer,
    operationTimeoutMs: limits.operationTimeoutMs,
  });
  const state: State = { closing: false };
  const { identity = WITHOUT_IDENTITY } = options;
  const { drainTimeoutMs } = limits;
  const protocol = createProtocol(operations, limits, state, { identity, logger, drainTimeoutMs });
  const sockets = new WebSocketServer(socketOptions(limits));
  sockets.on('connection', (socket: WebSocket, { headers }: IncomingMessage) =>
    serveSocket(socket, protocol, headers, limits.bufferedBytesMax, logger),
  );
  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const status = refusal(server, sockets, request, path, limits, state);
    if (status === 'not ours') return;
    if (status !== undefined) return refuseUpgrade(stream, status, logger);
    if (options.allowsOrigin?.(request.headers) === false) return refuseUpgrade(stream, 403, logger);
    sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit('connection', socket, request));
  };
  server.on('upgrade', onUpgrade);
  const stopPinging = keepAlive(sockets, limits.keepAliveMs);
  return {
    connections: () => sockets.clients.size,
    async close(code = 1001) {
      if (state.closing) return;
      state.closing = true;
      await within(limits.drainTimeoutMs, operations.settled());
      await closeSockets(sockets, code, limits.closeTimeoutMs);
      stopPinging();
      server.off('upgrade', onUpgrade);
      sockets.close();
    },
  };
}

/** Without `closeTimeout`, which the types lack, a client that is gone would hold a socket that we close for 30 s more. */
function socketOptions(limits: WebSocketLimits): ServerOptions & { readonly closeTimeout: number } {
  return {
    noServer: true,
    maxPayload: limits.payloadBytesMax,
    closeTimeout: limits.closeTimeoutMs,
    handleProtocols,
  };
}

interface State {
  closing: boolean;
}

/** graphql-ws asks the document which function to call: ours runs every kind of operation, so that each can be cancelled. */
const ANY_OPERATION = parse('subscription { any }', { noLocation: true });

function createProtocol(
  operations: Operations,
  limits: WebSocketLimits,
  state: State,
  sessions: SessionOptions,
): Server<ConnectionExtra> {
  return makeServer<Record<string, unknown>, ConnectionExtra>({
    connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
    onConnect: (ctx) => openSession(ctx, sessions),
    onComplete: closeWhenIdle,
    async onSubscribe(ctx, _id, payload) {
      const { headers, session } = ctx.extra;
      ctx.extra.client ??= readClientPayload(ctx.connectionParams, headers);
      const connection = { headers, client: ctx.extra.client, session };
      const error =
        takesNoMore(state, session) ?? limitExceeded(Object.keys(ctx.subscriptions).length, limits);
      if (error !== undefined) return operations.refuse(error, payload, connection);
      const ready = await operations.prepare(payload, connection);
      if (Array.isArray(ready)) return ready;
      const { engine, watch } = ready as ReadyOperation;
      // Planning takes time: the gateway may have begun to close meanwhile.
      const late = takesNoMore(state, session);
      if (late !== undefined) return operations.giveUp(watch, late);
      return {
        schema: engine.schema,
        document: ANY_OPERATION,
        contextValue: { ready, closed: ctx.extra.closed },
      };
    },
    subscribe(args: ExecutionArgs) {
      const { ready, closed } = args.contextValue as { ready: ReadyOperation; closed: AbortSignal };
      return operations.run(ready, closed);
    },
  });
}

/** Why no operation is begun any more on a socket. */
function takesNoMore({ closing }: State, { ended }: Session): HubError | undefined {
  if (closing) return goingAway();
  return ended?.aborted === true ? credentialsEnded() : undefined;
}

function goingAway(): HubError {
  return new HubError('CANCELLED', 'The gateway is going away: connect again.', { retryable: true });
}

function limitExceeded(operations: number, limits: WebSocketLimits): HubError | undefined {
  const max = limits.operationsPerConnectionMax;
  if (operations <= max) return undefined;
  const details = { limit: 'operationsPerConnectionMax', max };
  return new HubError('LIMIT_EXCEEDED', `one socket runs at most ${max} operations at once`, { details });
}

/** The status to refuse an upgrade with; undefined when it is welcome. Another path may be somebody else's. */
function refusal(
  server: HttpServer,
  sockets: WebSocketServer,
  request: IncomingMessage,
  path: string,
  limits: WebSocketLimits,
  state: State,
): UpgradeRefusal | 'not ours' | undefined {
  const [requestPath] = (request.url ?? '/').split('?');
  if (requestPath !== path) return server.listenerCount('upgrade') > 1 ? 'not ours' : 404;
  if (state.closing || sockets.clients.size >= limits.connectionsMax) return 503;
  return undefined;
}

/** Pings every socket; one that left a ping unanswered is cut off at the next. */
function keepAlive(sockets: WebSocketServer, keepAliveMs: number): () => void {
  const unanswered = new WeakSet<WebSocket>();
  const timer = setInterval(() => {
    for (const socket of sockets.clients) {
      if (unanswered.has(socket)) socket.terminate();
      else if (socket.readyState === socket.OPEN) {
        unanswered.add(socket);
        socket.once('pong', () => unanswered.delete(socket));
        socket.ping();
      }
    }
  }, keepAliveMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function closeSockets(sockets: WebSocketServer, code: number, timeoutMs: number): Promise<void> {
  const closed = [...sockets.clients].map(
    (socket) => new Promise((resolve) => socket.once('close', resolve)),
  );
  for (const socket of sockets.clients) socket.close(code, code === 1012 ? 'Service restart' : 'Going away');
  await within(timeoutMs, Promise.all(closed));
  for (const socket of sockets.clients) socket.terminate();
}

/** Waits for `work`, but no longer than `timeoutMs`. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  // The pause is cut short by an abort, which rejects it.
  await Promise.race([work, delay(timeoutMs, done.signal).catch(() => undefined)]);
  done.abort();
}
