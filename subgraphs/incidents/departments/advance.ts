// Takes the step that a department's system has told, when the state machine has it; else it waits, and in the end stands as a problem.
import { HubError } from '@weft/core/errors';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { ProgressState } from '@weft/schema/incident-progress';
import { isStoreAway } from '../../store.ts';
import { takeHeld } from '../act.ts';
import { systemActor } from '../actor.ts';
import { type ActionArguments, decodeCommand } from '../command.ts';
import type { Attempt, Progress } from '../generated/client.ts';
import { type Held, holdIncidents } from '../hold.ts';
import { incidentIdOf } from '../identity.ts';
import { isReturnReason, RETURN_REASON_LABELS } from '../labels.ts';
import type { Library } from '../library.ts';
import { attemptColumns, attemptOf } from '../rows.ts';
import type { Action } from '../state-machine.ts';
import type { StepLaw } from './deliver.ts';

/** What it runs with. */
export interface Advancing extends StepLaw {
  readonly library: Library;
  readonly signal: AbortSignal;
}

/** A system that is polled may never tell that it has signed: after this its feedback says so. */
const IMPLIED_SIGN_MS = 10_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 60_000;
const RETRY_DOUBLINGS_MAX = 10;
/** Where a system gives none: a step must have a reason, or a result. */
const NOT_SAID = '（对方系统未说明）';

type Outcome =
  | { readonly kind: 'DONE' }
  | { readonly kind: 'WAIT' | 'NEVER'; readonly incidentId: string | null; readonly why: string };

/** What a system told, and whose record it tells of. */
export interface DueProgress extends Progress {
  /** The incident of the attempt that the system knows by this number; null while none is known. */
  readonly attemptOf: string | null;
}

/** Does it once for each event, whichever process is first: the step, and that it is done, are one transaction. */
export async function advance(advancing: Advancing, due: DueProgress, now: Date): Promise<Outcome['kind']> {
  const outcome = await tryStep(advancing, due, now);
  if (outcome.kind === 'DONE') return 'DONE';
  const { sequence, tries, giveUpAt, nextAt } = due;
  const { incidentId, why } = outcome;
  const isOver = outcome.kind === 'NEVER' || now >= giveUpAt;
  const next = isOver ? { nextAt: null, problem: why, problemAt: now } : { nextAt: nextTry(due, now) };
  const data = { ...next, incidentId, tries: tries + 1 };
  // Woken meanwhile, it is due: its number has become known.
  await advancing.library.prisma.progress.updateMany({ where: { sequence, nextAt }, data });
  return isOver ? 'NEVER' : 'WAIT';
}

function nextTry({ tries, state, receivedAt }: DueProgress, now: Date): Date {
  const waitMs = Math.min(RETRY_MS_MIN * 2 ** Math.min(tries, RETRY_DOUBLINGS_MAX), RETRY_MS_MAX);
  const impliedAtMs = receivedAt.getTime() + IMPLIED_SIGN_MS;
  const isImplying = state === 'FED_BACK' && impliedAtMs > now.getTime();
  return new Date(Math.min(now.getTime() + waitMs, isImplying ? impliedAtMs : Number.POSITIVE_INFINITY));
}

async function tryStep(advancing: Advancing, due: DueProgress, now: Date): Promise<Outcome> {
  const { kind, number, attemptOf: incidentId } = due;
  if (incidentId === null)
    return { kind: 'WAIT', incidentId: null, why: `no attempt is known as ${kind} ${number}` };
  try {
    const { sql } = advancing.library;
    return await sql.transaction(
      (tx) => tryHeld(tx, advancing, { ...due, incidentId }, now),
      advancing.signal,
    );
  } catch (thrown) {
    // What is not the store's failure is this one's own: others go on.
    if (isStoreAway(thrown) || advancing.signal.aborted) throw thrown;
    return { kind: 'WAIT', incidentId, why: HubError.from(thrown).message };
  }
}

const READ_ATTEMPT = `
SELECT ${attemptColumns('a')} FROM incidents.attempt a
WHERE a.external_kind = $1 AND a.external_number = $2 AND a.incident_id = $3 ORDER BY a.routed_at DESC LIMIT 1`;
/** With what waited for this step: feedback for its signature. */
const DONE = `
WITH woken AS (UPDATE incidents.progress SET next_at = $4 WHERE kind = $2 AND number = $3 AND next_at > $4 AND sequence <> $1)
DELETE FROM incidents.progress WHERE sequence = $1`;

async function tryHeld(
  tx: StoreTransaction,
  advancing: Advancing,
  progress: Progress & { readonly incidentId: string },
  now: Date,
): Promise<Outcome> {
  const { kind, number, system, source, eventId, incidentId, sequence } = progress;
  // Its number follows from the event: told twice, the second does nothing.
  const requestId = incidentIdOf(source, eventId);
  const [all, rows] = await Promise.all([
    holdIncidents(tx, [incidentId], { requestId }),
    tx.query(READ_ATTEMPT, [kind, number, incidentId]),
  ]);
  const [held, attempt] = [all.get(incidentId), rows[0] === undefined ? null : attemptOf(rows[0])];
  if (held === undefined || attempt === null)
    return { kind: 'WAIT', incidentId, why: `no attempt is known as ${kind} ${number}` };
  const never = (why: string): Outcome => ({ kind: 'NEVER', incidentId, why });
  if (attempt.deliverySystem !== null && attempt.deliverySystem !== system)
    return never(`attempt ${attempt.number} is with the system ${attempt.deliverySystem}, not ${system}`);
  if (held.done === null && !isDone(attempt, progress.state as ProgressState)) {
    const hasEnded = attempt.outcome === 'RETURNED' || attempt.outcome === 'WITHDRAWN';
    if (hasEnded || held.incident.attempt !== attempt.number)
      return never(`attempt ${attempt.number} has ended: ${attempt.outcome}`);
    await takeSteps(tx, advancing, progress, held, attempt, now);
  }
  await tx.later.query(DONE, [sequence, kind, number, now]);
  return { kind: 'DONE' };
}

/** A record that is changed again tells its state again. Rework opens an attempt that was fed back, and clears it. */
function isDone({ signedAt, outcome }: Attempt, state: ProgressState): boolean {
  return state === 'SIGNED' ? signedAt !== null : outcome === state;
}

async function takeSteps(
  tx: StoreTransaction,
  { policy, hash }: Advancing,
  progress: Progress,
  held: Held,
  { department, number }: Attempt,
  now: Date,
): Promise<void> {
  const { source, eventId, system, receivedAt } = progress;
  const { id, state } = held.incident;
  const actor = systemActor(system, department);
  const act = (from: Held, action: Action, requestId: string, args: Partial<ActionArguments>) => {
    const command = decodeCommand(action, { ...args, id, requestId });
    return takeHeld(tx, new Map([[id, from]]), command, { actor, policy, hash });
  };
  let before = held;
  const isImplied = progress.state === 'FED_BACK' && state === 'ROUTED';
  if (isImplied && now.getTime() - receivedAt.getTime() >= IMPLIED_SIGN_MS) {
    const remark = `随反馈签收（第 ${number} 次派发）`;
    before = await act(held, 'signFor', incidentIdOf(source, `${eventId}:signed`), { remark });
  }
  await act(before, ...stepOf(progress, incidentIdOf(source, eventId)));
}

function stepOf(
  { state, reason, result, by, at }: Progress,
  requestId: string,
): [Action, string, Partial<ActionArguments>] {
  const remark = by === null ? at.toISOString() : `${by}，${at.toISOString()}`;
  switch (state as ProgressState) {
    case 'SIGNED':
      return ['signFor', requestId, { remark }];
    case 'RETURNED': {
      const returnReason = isReturnReason(reason) ? reason : 'OTHER';
      const text = isReturnReason(reason) ? RETURN_REASON_LABELS[reason] : (reason ?? NOT_SAID);
      return ['return', requestId, { returnReason, reason: text, remark }];
    }
    case 'FED_BACK':
      return ['feedBack', requestId, { result: result ?? NOT_SAID, remark }];
  }
}
