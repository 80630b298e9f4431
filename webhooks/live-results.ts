// The live results of one webhook, in order and bounded: an ordinary graphql-transport-ws client that goes on from its cursor.
import type { Logger } from '@weft/core/logger';
import { type Client, createClient, type FormattedExecutionResult } from 'graphql-ws';
import { WebSocket } from 'ws';
import { WEBHOOK_LIMITS } from './limits.ts';
import type { WebhookSubscription } from './subscription.ts';

type Result = FormattedExecutionResult<Record<string, unknown>, unknown>;

export interface LiveResult {
  readonly cursor: string;
  readonly result: Result;
}

export interface LiveResultsOptions {
  readonly gatewayUrl: string;
  readonly apiKey: string | undefined;
  readonly subscription: WebhookSubscription;
  /** Undefined: from now. */
  readonly after: string | undefined;
  readonly logger: Logger;
  /** Called with each reason for which the subscription has ended; it is begun again by itself. */
  onLost(reason: string): void;
}

export interface LiveResults {
  /** The next one; undefined when there is none within `waitMs`, or when the signal aborts. */
  take(waitMs: number, signal: AbortSignal): Promise<LiveResult | undefined>;
  close(): Promise<void>;
}

/** Connects and subscribes at once, and again whenever it has to. */
export function openLiveResults(options: LiveResultsOptions): LiveResults {
  const client = connect(options);
  const queue: LiveResult[] = [];
  let after = options.after;
  let wake = () => {};
  let unsubscribe: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delayMs: number = WEBHOOK_LIMITS.reconnectDelayMsMin;
  let isClosed = false;
  const subscribe = () => {
    timer = undefined;
    unsubscribe = begin(client, options.subscription, after, {
      next(result) {
        delayMs = WEBHOOK_LIMITS.reconnectDelayMsMin;
        after = result.cursor;
        queue.push(result);
        wake();
        // What is left out here comes again: from the last one that was taken in.
        if (queue.length >= WEBHOOK_LIMITS.queueResultsMax) stop();
      },
      lost(reason) {
        unsubscribe = undefined;
        if (isClosed) return;
        options.onLost(reason);
        timer = setTimeout(subscribe, delayMs);
        delayMs = Math.min(delayMs * 2, WEBHOOK_LIMITS.reconnectDelayMsMax);
      },
    });
  };
  const stop = () => {
    unsubscribe?.();
    unsubscribe = undefined;
  };
  subscribe();
  return {
    async take(waitMs, signal) {
      if (queue.length === 0) await waiting(waitMs, signal, (resolve) => (wake = resolve));
      const result = queue.shift();
      // It was full, and now it is empty.
      if (queue.length === 0 && unsubscribe === undefined && timer === undefined && !isClosed) subscribe();
      return result;
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      stop();
      await client.dispose();
    },
  };
}

function connect({ gatewayUrl, apiKey, logger }: LiveResultsOptions): Client {
  return createClient({
    url: gatewayUrl,
    webSocketImpl: WebSocket,
    // It would subscribe from the old cursor: what ends is begun again here.
    retryAttempts: 0,
    connectionParams: apiKey === undefined ? {} : { apiKey },
    connectionAckWaitTimeout: WEBHOOK_LIMITS.connectTimeoutMs,
    keepAlive: WEBHOOK_LIMITS.keepAliveMs,
    onNonLazyError: (thrown) => logger.debug({ err: thrown }, 'the connection to the gateway ended'),
    on: { opened: (socket) => watchPongs(socket as WebSocket) },
  });
}

/** A gateway that is gone without a word is found out by the protocol's own pings: ws is told to give the socket up. */
function watchPongs(socket: WebSocket): void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, WEBHOOK_LIMITS.keepAliveMs);
  socket.on('close', () => clearInterval(timer));
}

interface Sink {
  next(result: LiveResult): void;
  /** Called once, whatever ended it but `unsubscribe`. */
  lost(reason: string): void;
}

function begin(
  client: Client,
  { query, variables, field }: WebhookSubscription,
  after: string | undefined,
  sink: Sink,
): () => void {
  let isOver = false;
  const lose = (reason: string) => {
    if (isOver) return;
    isOver = true;
    sink.lost(reason);
  };
  const unsubscribe = client.subscribe(
    { query, variables: { ...variables, after: after ?? null } },
    {
      next(result) {
        if (isOver) return;
        const cursor = cursorOf(result, field);
        if (cursor !== undefined) return sink.next({ cursor, result });
        unsubscribe();
        lose(`a result came without a cursor: ${JSON.stringify(result.errors ?? result.data)}`);
      },
      error: (thrown) => lose(describe(thrown)),
      complete: () => lose('the gateway completed the subscription'),
    },
  );
  return () => {
    isOver = true;
    unsubscribe();
  };
}

/** Of what was fetched; of an event that could not be executed it stands in the extensions. */
function cursorOf({ data, extensions }: Result, field: string): string | undefined {
  const message = (data as Readonly<Record<string, { readonly cursor?: unknown } | null>> | null)?.[field];
  const weft = (extensions as { readonly weft?: { readonly cursor?: unknown } } | undefined)?.weft;
  const cursor = message?.cursor ?? weft?.cursor;
  return typeof cursor === 'string' ? cursor : undefined;
}

/** GraphQL errors, a close event, or an error of the socket. */
function describe(thrown: unknown): string {
  if (Array.isArray(thrown)) {
    return (thrown as readonly { message: string; extensions?: { code?: unknown } }[])
      .map(({ message, extensions }) => `${extensions?.code ?? 'error'}: ${message}`)
      .join('; ');
  }
  const { code, reason, message } = thrown as Readonly<Record<'code' | 'reason' | 'message', unknown>>;
  if (typeof code === 'number') return `the gateway closed the socket: ${code} ${reason}`;
  // Of an address with several IPs Node's error has no message, only a code.
  return `the gateway cannot be reached: ${message || code || String(thrown)}`;
}

function waiting(waitMs: number, signal: AbortSignal, onWaker: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    signal.addEventListener('abort', done, { once: true });
    onWaker(done);
  });
}
