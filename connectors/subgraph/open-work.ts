// Asks each wrapped system how much work of its own is open: what is known already is never waited for.
import { deadlineSignal } from '@weft/core/deadline';
import { HubError, invariant } from '@weft/core/errors';
import type { Answered } from '../freshness/fresh-answers.ts';
import { answerCall } from '../load/answers.ts';
import type { Row } from '../load/connect.ts';
import { createRequestContext } from '../load/request-context.ts';
import type { RunningSystem } from '../load/system.ts';
import type { OpenWorkPlan } from '../plan.ts';
import { upstreamError } from '../upstream-error.ts';

/** CURRENT: no older than `@freshness` says; OLD: the last that is known; UNKNOWN: nothing is. */
export type OpenWorkState = 'CURRENT' | 'OLD' | 'UNKNOWN';

/** What is known of one system's own count. */
export interface OpenWork {
  readonly system: string;
  /** Null when it is UNKNOWN, as are the time and the age. */
  readonly open: number | null;
  readonly asOf: Date | null;
  readonly ageMs: number | null;
  readonly state: OpenWorkState;
  /** `AWAITED`, the code of an error, or the gate that is shut; null when it is CURRENT. */
  readonly reason: string | null;
  /** Why it is UNKNOWN. */
  readonly error: HubError | undefined;
}

/** Where an older count is known a fresh one is waited for so long, */
const OLD_PATIENCE_MS = 60;
/** and where none is known so long. It is asked for all the same, for who asks next. */
const FIRST_PATIENCE_MS = 2_500;

/**
 * The counts of all systems that have one, in the order of their names, all asked at once. Never rejects.
 * @param division null: of everything
 */
export function readOpenWork(
  systems: readonly RunningSystem[],
  division: string | null,
  correlationId: string,
): Promise<readonly OpenWork[]> {
  const asked = systems.flatMap((system) => {
    const { name, openWork } = system.plan;
    return openWork === undefined ? [] : [{ name, system, openWork }];
  });
  asked.sort((one, other) => (one.name < other.name ? -1 : 1));
  return Promise.all(
    asked.map(({ name, system, openWork }) =>
      askSystem(system, openWork, division, correlationId).catch((thrown: unknown): OpenWork => {
        const error = ofSystem(HubError.from(thrown, { system: name }), name);
        const known = { system: name, open: null, asOf: null, ageMs: null };
        return { ...known, state: 'UNKNOWN', reason: error.code, error };
      }),
    ),
  );
}

/** Where time has passed the error is nobody's. */
function ofSystem(error: HubError, system: string): HubError {
  if (error.system !== undefined) return error;
  const { code, details } = error;
  return new HubError(code, `${system}: its count did not come`, { system, details, cause: error });
}

async function askSystem(
  system: RunningSystem,
  { field, byDivision }: OpenWorkPlan,
  division: string | null,
  correlationId: string,
): Promise<OpenWork> {
  const planned = system.plan.fields.get(field);
  invariant(planned?.kind === 'call' && planned.freshness !== undefined, `${field} is a call that is kept`);
  const { connect, freshness } = planned;
  const signal = deadlineSignal(FIRST_PATIENCE_MS);
  const request = createRequestContext(system, signal, correlationId);
  const scope = { args: byDivision ? { division } : {}, this: {} };
  const call = { connect, freshness, list: false };
  const answered = await answerCall(request, field, call, scope, OLD_PATIENCE_MS);
  return {
    system: system.plan.name,
    open: openOf(answered.rows[0], system.plan.name, connect.source),
    asOf: new Date(answered.observedAtMs),
    ageMs: answered.ageMs,
    ...stateOf(answered),
    error: undefined,
  };
}

function stateOf({ state, reason }: Answered): Pick<OpenWork, 'state' | 'reason'> {
  if (state !== 'STALE') return { state: 'CURRENT', reason: null };
  return { state: 'OLD', reason: reason === 'DEADLINE_EXCEEDED' ? 'AWAITED' : (reason ?? null) };
}

/** A system that has no row for a division has nothing open there. @throws HubError UPSTREAM_INVALID */
function openOf(row: Row | Error | undefined, system: string, source: string): number {
  if (row === undefined) return 0;
  const open = row instanceof Error ? undefined : row.open;
  if (typeof open === 'number' && Number.isSafeInteger(open) && open >= 0) return open;
  const context = { system, source, operation: 'openWork' };
  throw upstreamError('UPSTREAM_INVALID', 'what it says of its open work is no count', context);
}
