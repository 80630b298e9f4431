// GraphQL over WebSocket (graphql-transport-ws) on an HTTP server's upgrades.
import type { Server as HttpServer, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import { TELL_HEADER, whyNoTelling } from '@weft/core/telling';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols } from 'graphql-ws';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { createDocuments, type Documents } from '../documents/documents.ts';
import type { Engine } from '../engine.ts';
import { type Identity, WITHOUT_IDENTITY } from '../identity/identity.ts';
import { createObserver, type Observer } from '../observe/observer.ts';
import type { EventStreams } from '../subscribe/event-streams.ts';
import { Connection } from './connection.ts';
import { createKeepHeaders } from './kept-headers.ts';
import { WEBSOCKET_LIMITS, type WebSocketLimits } from './limits.ts';
import { createOperations, type Operations } from './operations.ts';
import { createProtocol, type Protocol } from './protocol.ts';
import { refuseUpgrade, type UpgradeRefusal } from './refuse-upgrade.ts';
import { pingedBefore, startWheel } from './wheel.ts';

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
  /** Names of client headers that go on to subgraphs; default none. */
  readonly forwardedHeaders?: readonly string[] | undefined;
  /** Absent: each operation has its line in the log, and nothing else is told of it. */
  readonly observer?: Observer;
}

export interface WebSocketTransport {
  /** Sockets that are open. */
  connections(): number;
  /**
   * Takes no more sockets and operations, lets queries and mutations finish, then closes the sockets with `code` (1001 going
   * away, 1012 restarting) in an order of chance, one after the other, and cuts off those that do not answer: ends within
   * drainTimeoutMs + closeTimeoutMs.
   */
  close(code?: 1001 | 1012): Promise<void>;
}

interface State {
  readonly connections: Set<Connection>;
  readonly bySocket: WeakMap<WebSocket, Connection>;
  readonly byAddress: Map<string, number>;
  closing: boolean;
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
  const state: State = {
    connections: new Set(),
    bySocket: new WeakMap(),
    byAddress: new Map(),
    closing: false,
  };
  const protocol = createProtocol({
    operations,
    limits,
    identity: options.identity ?? WITHOUT_IDENTITY,
    logger,
    keepHeaders: createKeepHeaders(options.forwardedHeaders ?? []),
    isClosing: () => state.closing,
  });
  const sockets = new WebSocketServer(socketOptions(limits));
  const serve = createServe(state, protocol, limits, logger);
  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const status = refusal(server, request, path, limits, state);
    if (status === 'not ours') return;
    if (status !== undefined) return refuseUpgrade(stream, status, logger);
    if (options.allowsOrigin?.(request.headers) === false) return refuseUpgrade(stream, 403, logger);
    if (whyNoTelling(request.headers[TELL_HEADER]) !== undefined) return refuseUpgrade(stream, 400, logger);
    sockets.handleUpgrade(request, stream, head, (socket) => serve(socket, stream, request));
  };
  server.on('upgrade', onUpgrade);
  const stopWheel = startWheel(state.connections, limits);
  return {
    connections: () => state.connections.size,
    async close(code = 1001) {
      if (state.closing) return;
      state.closing = true;
      await closeAll(state, operations, limits, code);
      stopWheel();
      server.off('upgrade', onUpgrade);
      sockets.close();
    },
  };
}

/** Without `closeTimeout`, which the types lack, a client that is gone would hold a socket that we close for 30 s more. */
function socketOptions(limits: WebSocketLimits): ServerOptions & { readonly closeTimeout: number } {
  return {
    noServer: true,
    // A set of sockets that would be kept beside ours.
    clientTracking: false,
    maxPayload: limits.payloadBytesMax,
    closeTimeout: limits.closeTimeoutMs,
    handleProtocols,
  };
}

/** The listeners are the same functions for all sockets: each closure would be there thousands of times. */
function createServe(
  state: State,
  protocol: Protocol,
  limits: WebSocketLimits,
  logger: Logger,
): (socket: WebSocket, stream: Duplex, request: IncomingMessage) => void {
  const { connections, bySocket, byAddress } = state;
  function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
    const connection = bySocket.get(this);
    if (connection !== undefined) protocol.receive(connection, data, isBinary);
  }
  function onPing(this: WebSocket): void {
    const connection = bySocket.get(this);
    if (connection !== undefined) protocol.pinged(connection);
  }
  function onPong(this: WebSocket): void {
    const connection = bySocket.get(this);
    if (connection !== undefined) connection.isSilent = false;
  }
  // A reset, a frame that is too long or not UTF-8: ws closes the socket with the code that is due.
  const onError = (err: Error) => logger.debug({ err }, 'a socket failed');
  function onClose(this: WebSocket): void {
    const connection = bySocket.get(this);
    if (connection === undefined || !connections.delete(connection)) return;
    bySocket.delete(this);
    const { address } = connection;
    const left = (byAddress.get(address) ?? 1) - 1;
    if (left > 0) byAddress.set(address, left);
    else byAddress.delete(address);
    protocol.closed(connection);
  }
  return (socket, stream, { headers, socket: { remoteAddress = '' } }) => {
    const connection = new Connection(socket, stream, headers, remoteAddress);
    connection.pingedAtMs = pingedBefore(connection.openedAtMs, limits);
    connections.add(connection);
    bySocket.set(socket, connection);
    byAddress.set(remoteAddress, (byAddress.get(remoteAddress) ?? 0) + 1);
    socket.on('message', onMessage);
    socket.on('ping', onPing);
    socket.on('pong', onPong);
    socket.on('error', onError);
    socket.on('close', onClose);
    if (socket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL)
      connection.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable');
  };
}

/** The status to refuse an upgrade with; undefined when it is welcome. Another path may be somebody else's. */
function refusal(
  server: HttpServer,
  request: IncomingMessage,
  path: string,
  limits: WebSocketLimits,
  { closing, connections, byAddress }: State,
): UpgradeRefusal | 'not ours' | undefined {
  const [requestPath] = (request.url ?? '/').split('?');
  if (requestPath !== path) return server.listenerCount('upgrade') > 1 ? 'not ours' : 404;
  if (closing || connections.size >= limits.connectionsMax) return 503;
  const ofAddress = byAddress.get(request.socket.remoteAddress ?? '') ?? 0;
  return ofAddress >= limits.connectionsPerAddressMax ? 429 : undefined;
}

async function closeAll(
  { connections }: State,
  operations: Operations,
  limits: WebSocketLimits,
  code: 1001 | 1012,
): Promise<void> {
  const begunAtMs = performance.now();
  await within(limits.drainTimeoutMs, operations.settled());
  const reason = code === 1012 ? 'Service restart' : 'Going away';
  const closed = [...connections].map(
    ({ socket }) => new Promise((resolve) => socket.once('close', resolve)),
  );
  const leftMs = limits.drainTimeoutMs - (performance.now() - begunAtMs);
  const intervalMs = Math.min(limits.closeIntervalMs, Math.max(0, leftMs) / Math.max(1, connections.size));
  let pauseMs = 0;
  for (const connection of inOrderOfChance([...connections])) {
    connection.close(code, reason);
    // Timers are no finer than a millisecond.
    pauseMs += intervalMs * 2 * Math.random();
    if (pauseMs < 1) continue;
    await delay(pauseMs);
    pauseMs = 0;
  }
  await within(limits.closeTimeoutMs, Promise.all(closed));
  for (const { socket } of connections) socket.terminate();
}

function inOrderOfChance<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((left, right) => left.at - right.at)
    .map(({ item }) => item);
}

/** Waits for `work`, but no longer than `timeoutMs`. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  // The pause is cut short by an abort, which rejects it.
  await Promise.race([work, delay(timeoutMs, done.signal).catch(() => undefined)]);
  done.abort();
}
