// What a live subscription writes to: the transport's end of it (ADR 15).
import type { HubError } from '@weft/core/errors';
import type { GraphQLError } from 'graphql';

/** One result of a live operation as JSON, made once for all who get the same. */
export interface LivePayload {
  /** The ExecutionResult as JSON in one line, for the subscriber with this cursor mark (`LiveSubscription.cursorMark`). */
  json(cursorMark: string): string;
  /** The place behind this result, to resume from; undefined where the source has no places (an upstream subscription). */
  cursor(cursorMark: string): string | undefined;
  /** Characters of the JSON, near enough to bound what waits. */
  readonly length: number;
  /** For whoever observes the operation. */
  readonly outcome?: { readonly list: readonly GraphQLError[]; readonly hasData: boolean } | undefined;
}

/** A transport's end. Nothing in it may throw or wait. */
export interface LiveSink {
  /**
   * One result, or several that are ready at the same time, in order: what is written in one go costs a transport about as much as
   * one alone. Also called while `bufferedBytes` is over the limit, for a gap that must be told.
   */
  next(payloads: readonly LivePayload[]): void;
  /** Bytes that wait to leave for this client at the moment. */
  readonly bufferedBytes: number;
  /** Once, and nothing after it; undefined: the stream ended by itself. */
  end(error: HubError | undefined): void;
}

/** A subscription that was opened; see `EventStreams.open`. */
export interface LiveSubscription {
  /** The principal's part of its cursors. */
  readonly cursorMark: string;
  /** What it reads has not answered yet. */
  readonly isOpening: boolean;
  /** To be called by the sink when its bytes have left, after `bufferedBytes` was over the limit. */
  drained(): void;
  /** No more is wanted: nothing is sent after it, `end` neither. May be called twice. */
  stop(): void;
}

/** Whether both hold the same payloads: those who are behind are served from lists of their own. */
export function areSame(some: readonly LivePayload[], others: readonly LivePayload[]): boolean {
  return (
    some === others ||
    (some.length === others.length && some.every((payload, index) => payload === others[index]))
  );
}
