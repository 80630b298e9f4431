// Where a group's results come from: the log's events, or a subgraph's own subscription (ADR 15).
import type { HubError } from '@weft/core/errors';
import type { LogEvent, LogGap } from '@weft/events/event-log';
import type { OperationContext, PreparedOperation, PrimaryResult } from '../engine.ts';

/** One answer of a primary fetch that came without being asked for: it has no position, and so no cursor. */
export interface SourceResult {
  readonly kind: 'result';
  readonly result: PrimaryResult;
}

/** Results that a source without positions has lost; told to clients as `extensions.weft.gap` beside null data. */
export interface SourceGap {
  readonly kind: 'lost';
  /** In upper case, as in `Gap.reason`: `UPSTREAM_RECONNECTED`, for one. */
  readonly reason: string;
  /** It still is: nothing comes until the next entry, and who begins meanwhile is told too. */
  readonly isOngoing?: boolean | undefined;
}

export type SourceEntry = LogEvent | LogGap | SourceResult | SourceGap;

export interface SourceListener {
  /** Called in order, synchronously; must not throw. */
  onEntry(entry: SourceEntry): void;
  /** The source has ended, with an error or by itself; called once, and nothing comes after. */
  onEnd(error: HubError | undefined): void;
}

/** One group's hold on a source: what it brings from `listen` on. */
export interface LiveSource {
  /** Called once. A source that has ended says so at once. */
  listen(listener: SourceListener): void;
  /** No more is wanted: the listener is called no more. May be called twice. */
  release(): void;
}

/** What opens a source for subscriptions whose field is not answered from the log. */
export interface LiveSources {
  /**
   * Called once for each group: those who subscribe to the same with the same authority, variables and headers.
   * @param context `principal` is the group's: roles and scopes, no subject; `headers` are those that go on to subgraphs;
   * `signal` aborts when the group's last subscriber has left
   * @throws HubError when it cannot be opened: all of the group are told so
   */
  open(
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    context: OperationContext,
  ): Promise<LiveSource>;
}
