// One subscription: goes on behind the last event that it handed over, on whichever connection there is.
import { backOffMs, pause } from './back-off.ts';
import type { Connection } from './connection.ts';
import type { ResumableDocument } from './document.ts';
import { type Ending, endingOf, type GraphQLFailure, WeftError } from './ending.ts';
import type { ClientLimits } from './limits.ts';

/** One event. */
export interface WeftEvent<Value = Readonly<Record<string, unknown>>> {
  /** The live field's value; null when it could not be had, which `errors` then say. */
  readonly value: Value | null;
  readonly errors?: readonly GraphQLFailure[] | undefined;
  /** The place behind this event; undefined where the field has none. */
  readonly cursor: string | undefined;
}

/** Events that were missed. */
export interface WeftGap {
  /** The last place before them; null when it is not known. Given as `after` it brings what is still kept. */
  readonly from: string | null;
  /** The place behind them; null when the stream was begun anew without a place. */
  readonly to: string | null;
  /** RETENTION, SLOW_CONSUMER, or of the client itself NO_CURSOR: the connection was lost before the first event. */
  readonly reason: string;
}

export interface Handlers<Value> {
  /** What it throws ends the subscription; the event then counts as not taken. */
  next(event: WeftEvent<Value>): void;
  gap?(gap: WeftGap): void;
  /** Nothing comes after it. */
  error?(error: WeftError): void;
  /** The field has no more to tell. */
  complete?(): void;
}

export interface SubscriptionOptions<Value> {
  readonly connection: Connection;
  readonly document: ResumableDocument;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Where to begin; undefined: where the caller's document says. */
  readonly after: string | undefined;
  readonly handlers: Handlers<Value>;
  readonly limits: ClientLimits;
}

export interface RunningSubscription {
  /** Of the last event or gap that was handed over. */
  readonly cursor: string | undefined;
  /** Asks for no more for now; `resume` goes on behind the last event. */
  pause(): void;
  resume(): void;
  stop(): void;
}

export function runSubscription<Value>(options: SubscriptionOptions<Value>): RunningSubscription {
  const running = new Running(options);
  running.resume();
  return running;
}

class Running<Value> implements RunningSubscription {
  cursor: string | undefined;
  readonly #options: SubscriptionOptions<Value>;
  readonly #over = new AbortController();
  /** Tries of this subscription alone, since its last event. */
  #attempts = 0;
  #isPaused = false;
  /** Leaves the operation that runs. */
  #release: (() => void) | undefined;

  constructor(options: SubscriptionOptions<Value>) {
    this.#options = options;
    this.cursor = options.after;
  }

  pause(): void {
    this.#isPaused = true;
    this.#release?.();
  }

  resume(): void {
    this.#isPaused = false;
    this.#begin();
  }

  stop(): void {
    this.#end(() => undefined);
  }

  #begin(): void {
    if (this.#over.signal.aborted || this.#isPaused || this.#release !== undefined) return;
    const { connection, handlers } = this.#options;
    const before = connection.number;
    let isOver = false;
    const unlessOver = (then: () => void) => {
      if (isOver) return;
      isOver = true;
      this.#release = undefined;
      then();
    };
    const dispose = connection.subscribe(
      payloadOf(this.#options, () => this.cursor),
      {
        next: (result) => isOver || this.#take(result as Result),
        error: (thrown) => unlessOver(() => void this.#again(endingOf(thrown), connection.number, before)),
        complete: () => unlessOver(() => this.#end(() => handlers.complete?.())),
      },
    );
    this.#release = () => unlessOver(dispose);
  }

  #take(result: Result): void {
    const { document, handlers } = this.#options;
    this.#attempts = 0;
    try {
      this.cursor = hand(document, handlers, result, this.cursor);
    } catch (thrown) {
      this.#fail(new WeftError('HANDLER', `the consumer failed: ${String(thrown)}`, [], thrown));
    }
  }

  /**
   * @param number of the connection that was had last
   * @param before the same when the operation was begun
   */
  async #again(ending: Ending, number: number, before: number): Promise<void> {
    const { connection, handlers, limits } = this.#options;
    if (ending.verdict === 'final') return this.#fail(ending.error);
    if (ending.verdict === 'credentials') {
      if (!connection.mayHaveOtherToken()) return this.#fail(ending.error);
      // The socket belongs to the credentials that ended.
      connection.renew(number);
    }
    // Tries of the connection are paced by itself.
    if (!ending.isOfConnection) {
      this.#attempts += 1;
      await pause(backOffMs(this.#attempts, limits), this.#over.signal);
    }
    if (this.#over.signal.aborted) return;
    // It may have stood in the stream, of which nothing is known.
    if (this.cursor === undefined && number > before)
      handlers.gap?.({ from: null, to: null, reason: 'NO_CURSOR' });
    this.#begin();
  }

  #fail(error: WeftError): void {
    this.#end(() => this.#options.handlers.error?.(error));
  }

  #end(tell: () => void): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#release?.();
    tell();
  }
}

/** graphql-ws reads it for each connection. */
function payloadOf<Value>(
  { document, variables }: SubscriptionOptions<Value>,
  cursor: () => string | undefined,
) {
  const { query, operationName, afterName } = document;
  return {
    query,
    ...(operationName === undefined ? {} : { operationName }),
    get variables() {
      const after = cursor() ?? variables[afterName] ?? document.after;
      return after === undefined ? variables : { ...variables, [afterName]: after };
    },
  };
}

interface Result {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphQLFailure[];
  readonly extensions?: { readonly weft?: { readonly cursor?: unknown; readonly gap?: unknown } };
}

/** @returns the cursor behind what was handed over */
function hand<Value>(
  document: ResumableDocument,
  handlers: Handlers<Value>,
  { data, errors, extensions }: Result,
  last: string | undefined,
): string | undefined {
  const value = (data?.[document.responseName] ?? null) as Readonly<Record<string, unknown>> | null;
  const given = value?.[document.cursorName] ?? extensions?.weft?.cursor;
  const cursor = typeof given === 'string' ? given : undefined;
  // Cursors are opaque: none is before or behind another, but the same place is the same event.
  if (cursor !== undefined && cursor === last) return last;
  const gap = (value?.[document.gapName] ?? extensions?.weft?.gap ?? null) as WeftGap | null;
  if (gap === null) handlers.next({ value: value as Value | null, errors, cursor });
  else handlers.gap?.({ from: gap.from, to: gap.to, reason: gap.reason });
  return cursor ?? gap?.to ?? last;
}
