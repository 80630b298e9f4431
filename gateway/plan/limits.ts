// Every bound of the processes that plan, by name, with its default.

export interface PlanLimits {
  /** One plan, from the moment a process begins on it. */
  readonly planTimeoutMs: number;
  /** A plan that takes longer is dear: it goes on apart from the others, and only one such at a time. */
  readonly planSliceMs: number;
  /** From asking for a plan to having it, waiting included. */
  readonly planWaitMs: number;
  /** Operations that wait for a process. */
  readonly planQueueMax: number;
  /** Of these, dear ones. */
  readonly planDearQueueMax: number;
  /** JavaScript heap of one planning process; memory of the native planner is outside of it. */
  readonly planHeapMbMax: number;
  /** From a process's start to its being ready for plans. */
  readonly planStartTimeoutMs: number;
  /** A process ends when it had nothing to do for so long: it holds some 100 MB, and most gateways have planned what they are asked. */
  readonly planIdleMs: number;
  /** And for so many times as long as it took to start: of what comes again and again, starts take one part in so many. */
  readonly planIdleStarts: number;
  /** A process whose supergraph is not needed any more is kept so long for another. */
  readonly planSpareIdleMs: number;
  /** Supergraphs that one process takes up, one after the other, before another takes its place. */
  readonly planGraphsMax: number;
  /** An operation that passed a bound is refused at once for so long, rather than tried again. */
  readonly planRefusedMs: number;
  /** Operations that are remembered so. */
  readonly planRefusedMax: number;
  /** Operations that are remembered as fatal to the native planner. */
  readonly planFatalMax: number;
}

export const PLAN_LIMITS: PlanLimits = Object.freeze({
  planTimeoutMs: 2_000,
  planSliceMs: 250,
  planWaitMs: 10_000,
  planQueueMax: 200,
  planDearQueueMax: 8,
  planHeapMbMax: 256,
  planStartTimeoutMs: 20_000,
  planIdleMs: 5_000,
  planIdleStarts: 20,
  planSpareIdleMs: 60_000,
  planGraphsMax: 50,
  planRefusedMs: 60_000,
  planRefusedMax: 200,
  planFatalMax: 1_000,
});
