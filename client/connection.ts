// The socket under all subscriptions of a client: paced, watched, with a token that is kept fresh.
import { type Client, createClient, type Sink, type SubscribePayload } from 'graphql-ws';
import { backOffMs, pause } from './back-off.ts';
import { endingOf, type WeftError } from './ending.ts';
import type { ClientLimits } from './limits.ts';
import { createRenewal, type Renewal, type TokenSource } from './token.ts';

/** `connecting`: never had; `connected`; `stale`: lost, what is shown may be old while it is tried again; `closed`: for good. */
export interface ConnectionState {
  readonly kind: 'connecting' | 'connected' | 'stale' | 'closed';
  /** Tries since it was last had. */
  readonly attempts: number;
  /** Why it was lost. */
  readonly error?: WeftError | undefined;
}

/** What a user may say of the connection. */
export interface ConnectionSettings {
  /** Of the gateway's endpoint, with `ws:` or `wss:`; of several gateways, each try takes the next. */
  readonly url: string | readonly string[];
  /** Sent in ConnectionInit beside the token, such as `{ apiKey }`; a function is called for each connection. */
  readonly connectionParams?:
    | Readonly<Record<string, unknown>>
    | (() => Promise<Readonly<Record<string, unknown>>>)
    | undefined;
  /** A bearer token, or how to get one: then the connection outlives the end of each. */
  readonly token?: TokenSource | undefined;
  readonly onState?: ((state: ConnectionState) => void) | undefined;
  /** Default the global WebSocket: of browsers, and of Node from 22 on. */
  readonly webSocketImpl?: unknown;
}

export interface ConnectionOptions extends ConnectionSettings {
  readonly limits: ClientLimits;
}

export interface Connection {
  /** As graphql-ws does; a lost connection is an error of the sink, which may subscribe again at once: tries are paced here. */
  subscribe(payload: SubscribePayload, sink: Sink<unknown>): () => void;
  /** Which connection it is; another after each one. */
  readonly number: number;
  /** Gives up the connection of this number, unless another took its place. */
  renew(number: number): void;
  /** Whether there may be a token that the gateway has not refused. */
  mayHaveOtherToken(): boolean;
  close(error?: WeftError): void;
}

export function createConnection(options: ConnectionOptions): Connection {
  const socket = new PacedSocket(options);
  return {
    subscribe: (payload, sink) =>
      socket.client.subscribe(payload, sink as Parameters<Client['subscribe']>[1]),
    get number() {
      return socket.number;
    },
    renew: (number) => socket.renew(number),
    mayHaveOtherToken: () => socket.mayHaveOtherToken(),
    close: (error) => socket.close(error),
  };
}

class PacedSocket {
  readonly client: Client;
  number = 0;
  readonly #options: ConnectionOptions;
  readonly #disposed = new AbortController();
  readonly #pacing: Pacing;
  readonly #renewal: Renewal;
  #kind: ConnectionState['kind'] | undefined;
  /** Connections in a row that ended for their credentials. */
  #refusals = 0;
  #pongTimer: ReturnType<typeof setTimeout> | undefined;
  #opened: { send(text: string): void } | undefined;
  #token: string | undefined;

  constructor(options: ConnectionOptions) {
    const { limits, token } = options;
    this.#options = options;
    this.#pacing = createPacing(limits, this.#disposed.signal);
    this.#renewal = createRenewal({
      source: () => tokenOf(token),
      renewBeforeMs: limits.renewBeforeMs,
      send: (authorization) =>
        this.#opened?.send(JSON.stringify({ type: 'ping', payload: { authorization } })),
      onRefused: () => this.client.terminate(),
    });
    const { webSocketImpl } = options;
    this.client = createClient({
      url: () => this.#nextUrl(),
      connectionParams: () => this.#connectionParams(),
      keepAlive: limits.keepAliveMs,
      connectionAckWaitTimeout: limits.acknowledgeTimeoutMs,
      // Who subscribes decides whether to come again, and from where.
      retryAttempts: 0,
      ...(webSocketImpl === undefined ? {} : { webSocketImpl }),
      on: {
        connected: (opened) => this.#connected(opened as { send(text: string): void }),
        closed: (event) => this.#closed(event),
        ping: (isReceived) => isReceived || this.#pinged(),
        pong: (isReceived, payload) => isReceived && this.#answered(payload),
      },
    });
  }

  renew(number: number): void {
    if (number === this.number && this.#opened !== undefined) this.client.terminate();
  }

  mayHaveOtherToken(): boolean {
    return typeof this.#options.token === 'function' && this.#refusals < this.#options.limits.refusalsMax;
  }

  close(error: WeftError | undefined): void {
    clearTimeout(this.#pongTimer);
    this.#renewal.stop();
    this.#pacing.lost();
    this.#disposed.abort();
    this.#tell('closed', error);
    // A connection that is being opened rejects it.
    Promise.resolve(this.client.dispose()).catch(() => undefined);
  }

  async #nextUrl(): Promise<string> {
    if (this.#kind === undefined) this.#tell('connecting');
    await this.#pacing.wait();
    return urlFor(this.#options.url, this.#pacing.attempts());
  }

  async #connectionParams(): Promise<Record<string, unknown>> {
    const { connectionParams, token } = this.#options;
    const given = typeof connectionParams === 'function' ? await connectionParams() : connectionParams;
    if (token === undefined) return { ...given };
    this.#token = await tokenOf(token);
    return { ...given, authorization: `Bearer ${this.#token}` };
  }

  #connected(opened: { send(text: string): void }): void {
    this.number += 1;
    this.#refusals = 0;
    this.#opened = opened;
    this.#pacing.had();
    if (typeof this.#options.token === 'function' && this.#token !== undefined)
      this.#renewal.began(this.#token);
    this.#tell('connected');
  }

  #closed(event: unknown): void {
    const { error, verdict } = endingOf(event);
    if (verdict === 'credentials') this.#refusals += 1;
    clearTimeout(this.#pongTimer);
    this.#renewal.stop();
    this.#opened = undefined;
    this.#pacing.lost();
    this.#tell(this.number === 0 ? 'connecting' : 'stale', error);
  }

  #pinged(): void {
    clearTimeout(this.#pongTimer);
    this.#pongTimer = setTimeout(() => this.client.terminate(), this.#options.limits.pongTimeoutMs);
  }

  #answered(payload: unknown): void {
    clearTimeout(this.#pongTimer);
    this.#renewal.answered(payload);
  }

  #tell(kind: ConnectionState['kind'], error?: WeftError): void {
    if (this.#kind === 'closed') return;
    this.#kind = kind;
    this.#options.onState?.({ kind, attempts: this.#pacing.attempts(), error });
  }
}

function tokenOf(token: TokenSource | undefined): string | Promise<string> {
  return typeof token === 'function' ? token() : (token ?? '');
}

function urlFor(url: string | readonly string[], attempts: number): string {
  const urls = typeof url === 'string' ? [url] : url;
  return urls[attempts % urls.length] ?? '';
}

interface Pacing {
  wait(): Promise<void>;
  had(): void;
  lost(): void;
  /** Since the last connection that was a good one. */
  attempts(): number;
}

/** Every try passes here, whatever ended the one before: a server that closes in good order must not be asked without a pause either. */
function createPacing(limits: ClientLimits, signal: AbortSignal): Pacing {
  let attempts = 0;
  let settling: ReturnType<typeof setTimeout> | undefined;
  return {
    async wait() {
      const ms = backOffMs(attempts, limits);
      attempts += 1;
      await pause(ms, signal);
    },
    had() {
      settling = setTimeout(() => {
        attempts = 0;
      }, limits.settledMs);
    },
    lost: () => clearTimeout(settling),
    attempts: () => attempts,
  };
}
