// The shapes of what is seen inside an operation, as docs/observing.md has them.

/**
 * @typedef {{
 *   system: string, paths: string[][], entities?: number, startMs: number, durationMs: number,
 *   status?: number, bytes?: number, shared: boolean, code?: string, errors: number
 * }} FetchTiming
 * @typedef {{ traceId: string, prepareMs: number, totalMs: number, fetches: FetchTiming[] }} Timings
 * @typedef {{ kind: 'fetch', system: string, operation: string, path: string[], isEntities: boolean, selection: string }} FetchNode
 * @typedef {{ kind: 'sequence' | 'parallel', nodes: PlanNode[] }} GroupNode
 * @typedef {{ kind: 'condition', variable: string, whenTrue?: PlanNode, whenFalse?: PlanNode }} ConditionNode
 * @typedef {{ kind: 'defer', primary?: PlanNode, deferred: { label?: string, path: string[], node?: PlanNode }[] }} DeferNode
 * @typedef {FetchNode | GroupNode | ConditionNode | DeferNode} PlanNode
 * @typedef {{ plan?: { text: string, tree?: PlanNode }, timings?: Timings }} Weft
 */

export {};
