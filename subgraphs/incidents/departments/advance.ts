// Takes the step that a department's system has told, when the state machine has it; else it waits, and in the end stands as a problem.
import { HubError } from '@weft/core/errors';
import type { ProgressState } from '@weft/schema/incident-progress';
import { isStoreAway } from '../../store.ts';
import { actOnIncident } from '../act.ts';
import { systemActor } from '../actor.ts';
import { type ActionArguments, decodeCommand } from '../command.ts';
import type { Attempt, Incident, PrismaClient, Progress } from '../generated/client.ts';
import { incidentIdOf } from '../identity.ts';
import { isReturnReason, RETURN_REASON_LABELS } from '../labels.ts';
import type { Action } from '../state-machine.ts';
import type { StepLaw } from './deliver.ts';

/** What it runs with. */
export interface Advancing extends StepLaw {
  readonly prisma: PrismaClient;
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

/** Does it once for each event, whichever process is first. */
export async function advance(advancing: Advancing, progress: Progress, now: Date): Promise<Outcome['kind']> {
  const outcome = await tryStep(advancing, progress, now);
  const { sequence, tries, giveUpAt } = progress;
  const { prisma } = advancing;
  if (outcome.kind === 'DONE') {
    await prisma.progress.deleteMany({ where: { sequence } });
    // What waited for this step: feedback for its signature.
    const { kind, number } = progress;
    await prisma.progress.updateMany({ where: { kind, number, nextAt: { gt: now } }, data: { nextAt: now } });
    return 'DONE';
  }
  const { incidentId, why } = outcome;
  const isOver = outcome.kind === 'NEVER' || now >= giveUpAt;
  const waitMs = Math.min(RETRY_MS_MIN * 2 ** Math.min(tries, RETRY_DOUBLINGS_MAX), RETRY_MS_MAX);
  const next = isOver
    ? { nextAt: null, problem: why, problemAt: now }
    : { nextAt: new Date(now.getTime() + waitMs) };
  await prisma.progress.updateMany({ where: { sequence }, data: { ...next, incidentId, tries: tries + 1 } });
  return isOver ? 'NEVER' : 'WAIT';
}

async function tryStep(advancing: Advancing, progress: Progress, now: Date): Promise<Outcome> {
  const { kind, number, system } = progress;
  const attempt = await advancing.prisma.attempt.findFirst({
    where: { externalKind: kind, externalNumber: number },
    orderBy: { routedAt: 'desc' },
    include: { incident: true },
  });
  if (attempt === null)
    return { kind: 'WAIT', incidentId: null, why: `no attempt is known as ${kind} ${number}` };
  const { incident, incidentId } = attempt;
  const never = (why: string): Outcome => ({ kind: 'NEVER', incidentId, why });
  if (attempt.deliverySystem !== null && attempt.deliverySystem !== system)
    return never(`attempt ${attempt.number} is with the system ${attempt.deliverySystem}, not ${system}`);
  if (isDone(attempt, progress.state as ProgressState)) return { kind: 'DONE' };
  if (
    attempt.outcome === 'RETURNED' ||
    attempt.outcome === 'WITHDRAWN' ||
    incident.attempt !== attempt.number
  )
    return never(`attempt ${attempt.number} has ended: ${attempt.outcome}`);
  try {
    await takeSteps(advancing, progress, attempt, incident, now);
    return { kind: 'DONE' };
  } catch (thrown) {
    // What is not the store's failure is this one's own: others go on.
    if (isStoreAway(thrown) || advancing.signal.aborted) throw thrown;
    return { kind: 'WAIT', incidentId, why: HubError.from(thrown).message };
  }
}

/** A record that is changed again tells its state again. Rework opens an attempt that was fed back, and clears it. */
function isDone({ signedAt, outcome }: Attempt, state: ProgressState): boolean {
  return state === 'SIGNED' ? signedAt !== null : outcome === state;
}

async function takeSteps(
  { prisma, policy, hash, signal }: Advancing,
  progress: Progress,
  { department, number }: Attempt,
  { id, state, version }: Incident,
  now: Date,
): Promise<void> {
  const { source, eventId, system, receivedAt } = progress;
  const actor = systemActor(system, department);
  const act = (action: Action, requestId: string, args: Partial<ActionArguments>) =>
    actOnIncident(prisma, decodeCommand(action, { ...args, id, requestId }), { actor, policy, hash, signal });
  // Its number follows from the event: told twice, the second does nothing. The version: it is about this attempt.
  const requestId = incidentIdOf(source, eventId);
  const isImplied = progress.state === 'FED_BACK' && state === 'ROUTED';
  if (isImplied && now.getTime() - receivedAt.getTime() >= IMPLIED_SIGN_MS) {
    const remark = `随反馈签收（第 ${number} 次派发）`;
    await act('signFor', incidentIdOf(source, `${eventId}:signed`), { expectedVersion: version, remark });
    await act(...stepOf(progress, requestId));
    return;
  }
  const [action, , args] = stepOf(progress, requestId);
  await act(action, requestId, { ...args, expectedVersion: version });
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
