// What every protocol folder's client does: call a source, and close what it opened.
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { CallPlan } from './plan.ts';

/** One call's circumstances. */
export interface CallOptions {
  /** Aborts the call and frees what it holds. */
  readonly signal: AbortSignal;
  /** Sent upstream where the protocol has a place for it. */
  readonly correlationId: string;
  /** Whether it may be sent again: true when absent. */
  readonly isRead?: boolean;
}

/** An opened source. Opening never connects: a source that is away at start costs nothing until it is called. */
export interface SourceClient<Call extends CallPlan = CallPlan> {
  /**
   * Sends one call and decodes its answer: REST parsed JSON, SOAP the operation's output, SQL a list of rows.
   * @throws HubError UPSTREAM_UNAVAILABLE, UPSTREAM_INVALID, or the signal's reason
   */
  call(call: Call, scope: MappingScope, options: CallOptions): Promise<unknown>;
  close(): Promise<void>;
}
