// Every bound of reloading the graph, by name, with its default.

export interface ReloadLimits {
  /** A changed file must stand still for this long before it is read: editors and deployments write in several steps. */
  readonly debounceMs: number;
  /** Files are looked at this often besides their events, which some file systems lose. */
  readonly pollMs: number;
  /** Bytes of one file: supergraph, manifest or SDL. */
  readonly fileBytesMax: number;
  /** One composition, in its worker. */
  readonly composeTimeoutMs: number;
  /** Old-space heap of the worker that composes. */
  readonly composeHeapMbMax: number;
  /** Operations, most used first, that are planned on a new generation before it serves. */
  readonly warmOperationsMax: number;
  /** Of these, what was used less often is planned when it is asked for: most documents that come once never come again. */
  readonly warmUsesMin: number;
  readonly warmTimeoutMs: number;
  /** Uses are counted over the present window of this length and the one before it. */
  readonly usageWindowMs: number;
  /** Distinct operations that are counted in one window; later ones wait for the next. */
  readonly usageEntriesMax: number;
  /** An old generation is closed after this long even if operations are still in flight on it. */
  readonly drainTimeoutMs: number;
  /** From the end of the last operation on an old generation to its close: one may be prepared and about to begin. */
  readonly lingerMs: number;
  /** Old generations that may be ending; a further reload waits for one of them. */
  readonly retiredGenerationsMax: number;
  /** Live subscriptions that are planned anew before other work has its turn. */
  readonly renewalsPerTurnMax: number;
}

export const RELOAD_LIMITS: ReloadLimits = Object.freeze({
  debounceMs: 50,
  pollMs: 2_000,
  fileBytesMax: 50_000_000,
  composeTimeoutMs: 30_000,
  composeHeapMbMax: 1_024,
  warmOperationsMax: 50,
  warmUsesMin: 2,
  warmTimeoutMs: 10_000,
  usageWindowMs: 300_000,
  usageEntriesMax: 1_000,
  drainTimeoutMs: 20_000,
  lingerMs: 100,
  retiredGenerationsMax: 2,
  renewalsPerTurnMax: 100,
});
