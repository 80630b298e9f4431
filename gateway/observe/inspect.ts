// Looking inside an operation: who may, what was asked for, and what is answered beside the data.
import type { Engine, PreparedOperation } from '../engine.ts';
import type { Principal } from '../identity/principal.ts';
import type { FetchNote, OperationWatch } from './operation-watch.ts';
import type { PlanNode } from './plan-tree.ts';
import type { ObserveSettings } from './settings.ts';

/** The header of the request that asks for it: `plan`, `timings`, or both with a comma between. */
export const INSPECT_HEADER = 'x-weft-inspect';

export interface Inspection {
  readonly plan: boolean;
  readonly timings: boolean;
}

/** How an operation is answered, for a reader. */
export interface Explanation {
  /** As `weft plan` prints it. */
  readonly text: string;
  /** Undefined when nothing is fetched. */
  readonly tree: PlanNode | undefined;
}

/** One fetch as the client sees it; times since the operation was taken up. */
export interface FetchTiming {
  readonly system: string;
  /** Where the answer belongs, as in the plan; several when entity fetches are sent together. */
  readonly paths: readonly (readonly string[])[];
  readonly entities?: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly status?: number;
  readonly bytes?: number;
  readonly shared: boolean;
  readonly code?: string;
  readonly errors: number;
}

const HEADER_CHARS_MAX = 100;

/** What the header asks for; undefined when it asks for nothing, which is the rule. */
export function readInspection(header: string | readonly string[] | undefined): Inspection | undefined {
  if (typeof header !== 'string' || header.length > HEADER_CHARS_MAX) return undefined;
  const words = header.split(',').map((word) => word.trim().toLowerCase());
  const inspection = { plan: words.includes('plan'), timings: words.includes('timings') };
  return inspection.plan || inspection.timings ? inspection : undefined;
}

export function mayInspect(setting: ObserveSettings['inspect'], { roles, scopes }: Principal): boolean {
  switch (setting) {
    case 'off':
      return false;
    case 'everybody':
      return true;
    default:
      return roles.includes(setting.role) || scopes.includes(setting.role);
  }
}

/**
 * What stands in `extensions.weft` for whoever looks inside, with what stands there already.
 * @param extensions of the result so far
 */
export function withInspection(
  extensions: Readonly<Record<string, unknown>> | undefined,
  watch: OperationWatch,
  engine: Engine,
  prepared: PreparedOperation,
): Readonly<Record<string, unknown>> | undefined {
  const { inspection } = watch;
  if (inspection === undefined) return extensions;
  const shown = {
    ...(extensions?.weft as object | undefined),
    ...(inspection.plan ? { plan: engine.explain?.(prepared) } : {}),
    ...(inspection.timings ? { timings: timingsOf(watch, performance.now()) } : {}),
  };
  return { ...extensions, weft: shown };
}

function timingsOf(watch: OperationWatch, nowMs: number): object {
  const { startedAtMs, preparedAtMs, notes = [] } = watch;
  return {
    traceId: watch.traceId,
    prepareMs: rounded((preparedAtMs ?? nowMs) - startedAtMs),
    totalMs: rounded(nowMs - startedAtMs),
    fetches: notes.map((note) => timingOf(note, startedAtMs, nowMs)),
  };
}

function timingOf(note: FetchNote, sinceMs: number, nowMs: number): FetchTiming {
  const { system, steps, entities, startedAtMs, endedAtMs, status, bytes, isShared, code, errors } = note;
  // One that has not ended is answered by nobody any more.
  const endMs = endedAtMs === 0 ? nowMs : endedAtMs;
  return {
    system,
    paths: steps.map(({ path }) => path),
    ...(entities === undefined ? {} : { entities }),
    startMs: rounded(startedAtMs - sinceMs),
    durationMs: rounded(endMs - startedAtMs),
    ...(status === undefined ? {} : { status }),
    ...(bytes === undefined ? {} : { bytes }),
    shared: isShared,
    ...(code === undefined ? {} : { code }),
    errors,
  };
}

/** To hundredths. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
