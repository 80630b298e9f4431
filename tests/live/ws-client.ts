// A raw graphql-transport-ws client: sends what it is told, keeps what comes in a queue, hides nothing.
import { WebSocket } from 'ws';

const DEADLINE_MS = 10_000;

export interface WsMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

export interface WsClient {
  readonly socket: WebSocket;
  send(message: object | string): void;
  /** The next message; fails when none comes in time or the socket closes first. */
  next(): Promise<WsMessage>;
  /** Resolves when the socket has closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
}

export interface WsClientOptions {
  readonly protocols?: readonly string[];
  /** Whether pings are answered; default true. */
  readonly autoPong?: boolean;
  /** Of the upgrade. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens a socket; `connectClient` also does the handshake of the protocol. */
export async function openClient(url: string, options: WsClientOptions = {}): Promise<WsClient> {
  const protocols = [...(options.protocols ?? ['graphql-transport-ws'])];
  const socket = new WebSocket(url, protocols, {
    autoPong: options.autoPong ?? true,
    headers: options.headers ?? {},
  });
  const queue: WsMessage[] = [];
  const waiting: PromiseWithResolvers<WsMessage>[] = [];
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as WsMessage;
    const waiter = waiting.shift();
    if (waiter === undefined) queue.push(message);
    else waiter.resolve(message);
  });
  socket.on('close', (code, reason) => {
    closed.resolve({ code, reason: String(reason) });
    for (const waiter of waiting.splice(0)) waiter.reject(new Error(`the socket closed: ${code} ${reason}`));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return {
    socket,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: () => takeNext(queue, waiting),
    // From when it is asked for: a test may have done much until then.
    get closed() {
      return withDeadline(closed.promise, 'the socket to close');
    },
    async close() {
      socket.terminate();
      await closed.promise;
    },
  };
}

export async function connectClient(url: string, options: WsClientOptions = {}): Promise<WsClient> {
  const client = await openClient(url, options);
  client.send({ type: 'connection_init' });
  const ack = await client.next();
  if (ack.type !== 'connection_ack') throw new Error(`expected connection_ack, got ${JSON.stringify(ack)}`);
  return client;
}

function takeNext(queue: WsMessage[], waiting: PromiseWithResolvers<WsMessage>[]): Promise<WsMessage> {
  const message = queue.shift();
  if (message !== undefined) return Promise.resolve(message);
  const waiter = Promise.withResolvers<WsMessage>();
  waiting.push(waiter);
  return withDeadline(waiter.promise, 'a message');
}

function withDeadline<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`waited ${DEADLINE_MS} ms in vain for ${what}`)),
    DEADLINE_MS,
  );
  timer.unref();
  const raced = Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
  // Whoever awaits it is told; that nobody may is no failure.
  raced.catch(() => undefined);
  return raced;
}
