// `@weft/client`: live fields of a Weft gateway that survive lost connections, restarts and the end of a token.
import { type Connection, type ConnectionSettings, createConnection } from './connection.ts';
import { makeResumable, type ResumableDocument } from './document.ts';
import { WeftError } from './ending.ts';
import { iterateSubscription, type WeftMessage } from './iterate.ts';
import { CLIENT_LIMITS, type ClientLimits } from './limits.ts';
import { type CursorStorage, memoryStorage } from './storage.ts';
import { type Handlers, type RunningSubscription, runSubscription } from './subscription.ts';

export type { ConnectionSettings, ConnectionState } from './connection.ts';
export { type GraphQLFailure, WeftError } from './ending.ts';
export type { WeftMessage } from './iterate.ts';
export { CLIENT_LIMITS, type ClientLimits } from './limits.ts';
export { type CursorStorage, memoryStorage, type WebStorage, webStorage } from './storage.ts';
export type { Handlers, WeftEvent, WeftGap } from './subscription.ts';
export type { TokenSource } from './token.ts';

export interface WeftClientOptions extends ConnectionSettings {
  /** Where `commit` keeps cursors; default in memory. */
  readonly storage?: CursorStorage | undefined;
  readonly limits?: Partial<ClientLimits> | undefined;
}

export interface SubscribeRequest {
  /** One subscription. `cursor`, `gap { from to reason }` and `after` are added where they are missing. */
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** The live field's name in the schema, where the document leaves it open. */
  readonly field?: string | undefined;
  /** Of the consumer: what was committed under it is where the subscription begins. */
  readonly name?: string | undefined;
}

export interface WeftSubscription {
  /** Of the last event or gap that was handed over. */
  readonly cursor: string | undefined;
  /**
   * Everything up to this cursor has been dealt with: a later subscription of the same name begins behind it. Resolves when it is kept.
   * @param cursor default: that of the last event
   */
  commit(cursor?: string): Promise<void>;
  /** Nothing is handed over after it. */
  unsubscribe(): void;
}

export interface WeftIteration<Value> extends AsyncGenerator<WeftMessage<Value>, void, undefined> {
  /** @param cursor of the last message that was dealt with */
  commit(cursor: string): Promise<void>;
}

export interface WeftClient {
  /** @throws WeftError DOCUMENT; all else comes as `error` */
  subscribe<Value = Readonly<Record<string, unknown>>>(
    request: SubscribeRequest,
    handlers: Handlers<Value>,
  ): WeftSubscription;
  /** The same as messages to take one by one; its consumer's pace is the stream's. Rejects with WeftError. */
  iterate<Value = Readonly<Record<string, unknown>>>(request: SubscribeRequest): WeftIteration<Value>;
  /** Ends every subscription, without a word to its handlers, and the connection. */
  close(): void;
}

export function createWeftClient(options: WeftClientOptions): WeftClient {
  const limits = { ...CLIENT_LIMITS, ...options.limits };
  const storage = options.storage ?? memoryStorage();
  const connection = createConnection({ ...options, limits });
  const running = new Set<Source>();
  const start = <Value>(request: SubscribeRequest, handlers: Handlers<Value>): Source => {
    const source = startSubscription(
      { request, document: makeResumable(request.query, request.field), storage, connection, limits },
      handlers,
      () => running.delete(source),
    );
    running.add(source);
    return source;
  };
  return {
    subscribe(request, handlers) {
      const source = start(request, handlers);
      return {
        get cursor() {
          return source.cursor;
        },
        commit: (cursor = source.cursor) => commit(storage, request.name, cursor),
        unsubscribe: source.stop,
      };
    },
    iterate<Value>(request: SubscribeRequest) {
      const messages = iterateSubscription<Value>(
        (handlers) => start(request, handlers),
        limits.iteratedEventsMax,
      );
      return Object.assign(messages, { commit: (cursor: string) => commit(storage, request.name, cursor) });
    },
    close() {
      for (const source of [...running]) source.stop();
      connection.close();
    },
  };
}

async function commit(
  storage: CursorStorage,
  name: string | undefined,
  cursor: string | undefined,
): Promise<void> {
  if (name === undefined) throw new WeftError('DOCUMENT', 'only a subscription with a name can commit');
  if (cursor !== undefined) await storage.write(name, cursor);
}

interface Source extends RunningSubscription {}

interface StartOptions {
  readonly request: SubscribeRequest;
  readonly document: ResumableDocument;
  readonly storage: CursorStorage;
  readonly connection: Connection;
  readonly limits: ClientLimits;
}

/** Begins when what was committed has been read. */
function startSubscription<Value>(
  options: StartOptions,
  handlers: Handlers<Value>,
  onOver: () => void,
): Source {
  const { request, document, storage, connection, limits } = options;
  let inner: RunningSubscription | undefined;
  let isPaused = false;
  let isStopped = false;
  const watched: Handlers<Value> = {
    next: (event) => handlers.next(event),
    gap: (gap) => handlers.gap?.(gap),
    error(error) {
      onOver();
      handlers.error?.(error);
    },
    complete() {
      onOver();
      handlers.complete?.();
    },
  };
  const begin = (after: string | undefined) => {
    if (isStopped) return;
    inner = runSubscription({
      connection,
      document,
      variables: request.variables ?? {},
      after,
      handlers: watched,
      limits,
    });
    if (isPaused) inner.pause();
  };
  const { name } = request;
  if (name === undefined) begin(undefined);
  else
    Promise.resolve()
      .then(() => storage.read(name))
      .then(begin, (thrown: unknown) =>
        watched.error?.(
          new WeftError('STORAGE', `what was committed cannot be read: ${String(thrown)}`, [], thrown),
        ),
      );
  return {
    get cursor() {
      return inner?.cursor;
    },
    pause() {
      isPaused = true;
      inner?.pause();
    },
    resume() {
      isPaused = false;
      inner?.resume();
    },
    stop() {
      isStopped = true;
      onOver();
      inner?.stop();
    },
  };
}
