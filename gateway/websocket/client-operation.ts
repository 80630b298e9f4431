// One operation of a connection, from `subscribe` to `complete`: runs it, and is the sink of a live one.
import type { HubError } from '@weft/core/errors';
import type { GraphQLError } from 'graphql';
import { noteErrors, noteResult, type OperationWatch } from '../observe/operation-watch.ts';
import type { LivePayload, LiveSink, LiveSubscription } from '../subscribe/sink.ts';
import type { Connection, ConnectionOperation } from './connection.ts';
import { type NextFrames, nextPrefix } from './frames.ts';
import { type LiveOperation, type Operations, type ReadyOperation, toGraphQLError } from './operations.ts';

/** Application-defined (RFC 6455, 7.4.2): the client took nothing for too long. */
export const SLOW_CONSUMER = 4499;

export interface OperationHub {
  readonly operations: Operations;
  readonly frames: NextFrames;
  /** Bytes that may wait before parts of an answer do. */
  readonly bufferedBytesMax: number;
  /** An operation has ended. */
  onEnded(connection: Connection): void;
}

export class ClientOperation implements ConnectionOperation, LiveSink {
  readonly #hub: OperationHub;
  readonly #connection: Connection;
  readonly #id: string;
  /** Of its `next` messages. */
  #prefix = '';
  #kept: LiveOperation | undefined;
  #isSubscription = false;
  #subscription: LiveSubscription | undefined;
  /** Made for queries and mutations alone. */
  #abort: AbortController | undefined;
  #isOver = false;

  constructor(hub: OperationHub, connection: Connection, id: string) {
    this.#hub = hub;
    this.#connection = connection;
    this.#id = id;
    connection.add(id, this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isLive(): boolean {
    return this.#subscription !== undefined;
  }

  /** What it runs as, once it does; the same for another authority when that has changed. */
  get kept(): LiveOperation | undefined {
    return this.#kept;
  }

  set kept(kept: LiveOperation) {
    this.#kept = kept;
  }

  get subscription(): LiveSubscription | undefined {
    return this.#subscription;
  }

  /** Resolves when it is over, or live. Never rejects. */
  async run(ready: ReadyOperation): Promise<void> {
    const { engine: _engine, prepared, ...kept } = ready;
    this.#kept = kept;
    this.#isSubscription = prepared.kind === 'subscription';
    this.#prefix = nextPrefix(this.#id);
    const { operations } = this.#hub;
    try {
      if (this.#isSubscription) {
        this.#subscription = operations.subscribe(ready, this);
        return;
      }
      this.#abort = new AbortController();
      for await (const result of operations.run(ready, this.#abort.signal)) {
        if (this.#isOver) return;
        this.#connection.send({ id: this.#id, type: 'next', payload: result });
        if (this.#connection.bufferedBytes > this.#hub.bufferedBytesMax) await this.#connection.flushed();
      }
      this.complete();
    } catch (thrown) {
      this.fail([toGraphQLError(thrown, ready.watch.traceId)]);
    }
  }

  complete(): void {
    if (this.#finish()) this.#connection.send({ id: this.#id, type: 'complete' });
  }

  fail(errors: readonly GraphQLError[]): void {
    if (this.#finish()) this.#connection.send({ id: this.#id, type: 'error', payload: errors });
  }

  stop(): void {
    if (!this.#finish()) return;
    this.#abort?.abort();
  }

  flushed(): void {
    this.#subscription?.drained();
  }

  next(payloads: readonly LivePayload[]): void {
    const { watch } = this.#kept ?? {};
    if (watch !== undefined) for (const { outcome } of payloads) note(watch, outcome);
    const mark = this.#subscription?.cursorMark ?? '';
    this.#connection.writeNext(this.#hub.frames, payloads, mark, this.#prefix);
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  end(error: HubError | undefined): void {
    if (error === undefined) {
      this.complete();
      return;
    }
    const { watch } = this.#kept ?? {};
    const told = toGraphQLError(error, watch?.traceId ?? '');
    if (watch !== undefined) noteErrors(watch, [told]);
    if (error.cause !== undefined && watch !== undefined) this.#hub.operations.noteCause(error, watch);
    this.fail([told]);
    if (error.details.limit === 'slowClientTimeoutMs')
      this.#connection.closeWhenFlushed(SLOW_CONSUMER, 'slow consumer');
  }

  /** Whether it was not over yet. */
  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#subscription?.stop();
    this.#connection.remove(this.#id, this);
    if (this.#isSubscription && this.#kept !== undefined) this.#hub.operations.over(this.#kept);
    this.#hub.onEnded(this.#connection);
    return true;
  }
}

function note(watch: OperationWatch, outcome: LivePayload['outcome']): void {
  watch.results += 1;
  if (outcome === undefined || outcome.list.length === 0) watch.hasData = true;
  else noteResult(watch, { data: outcome.hasData ? {} : null, errors: outcome.list });
}
