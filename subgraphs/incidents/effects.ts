// What each action does besides moving the state: attempts, counters, deadlines, the owning centre.
import { HubError, invariant } from '@weft/core/errors';
import type { EvidenceFields } from '@weft/evidence/entry';
import { badInput } from './bad-input.ts';
import { centreAbove, divisionOfCentre, isCentreAbove } from './centres.ts';
import { type Dispatching, dispatch, timed } from './dispatching.ts';
import type { Attempt, Incident } from './generated/client.ts';
import type { Held } from './hold.ts';
import type { Dispatch, Step } from './incident-event.ts';
import { mergeInto } from './merging.ts';
import type { Action, ChangeKind } from './state-machine.ts';
import { dueOf } from './time/deadline-policy.ts';

/** The columns that change, what the step says, and what the event says to a department. */
export interface Effect {
  readonly patch?: Partial<Incident>;
  /** Columns of the latest attempt, or the next one. */
  readonly attemptPatch?: Partial<Attempt> | undefined;
  readonly newAttempt?: Attempt;
  readonly step?: Partial<Pick<Step, 'reason' | 'attempt' | 'department' | 'centre' | 'other' | 'rating'>>;
  /** Where it is another than the action's. */
  readonly kind?: ChangeKind;
  readonly dispatch?: Dispatch;
  /** What the evidence says besides the columns that changed. */
  readonly told?: EvidenceFields;
}

export interface ActionContext extends Dispatching {
  /** The one that the command merges into, where it is there. */
  readonly survivor: Held | undefined;
}

type Perform = (context: ActionContext) => Promise<Effect>;

const giveReason: Perform = async ({ command }) => ({ step: { reason: command.reason } });
const nothingMore: Perform = async () => ({});

/** One a action, run in the transaction that holds the incident. */
export const EFFECTS: Readonly<Record<Action, Perform>> = {
  submit: nothingMore,
  accept: async ({ incident, at, policy }) => {
    const reply = dueOf(policy, 'REPLY', at, timed(incident));
    return { patch: { replyDueAt: reply.at, replyByWeekdays: reply.byWeekdays } };
  },
  reject: giveReason,
  markInvalid: giveReason,
  route: async (context) => await sendOut(context, context.command.department ?? '', context.incident.round),
  signFor,
  return: returnToCentre,
  feedBack: async ({ incident, command, at }) => ({
    patch: { extensionUntil: null },
    attemptPatch: { fedBackAt: at, result: command.result, outcome: 'FED_BACK' },
    step: { attempt: incident.attempt, department: incident.department },
  }),
  startVerification: nothingMore,
  pass: async ({ at }) => ({ patch: { verifiedAt: at } }),
  rework,
  close: async ({ at }) => ({ patch: { closedAt: at } }),
  evaluate: async ({ command: { rating, evaluation } }) => ({
    patch: { rating, evaluation },
    step: { rating, reason: evaluation },
  }),
  reopen,
  escalate: async (context) => moveOwner(context, escalationTarget(context)),
  handDown: async (context) => moveOwner(context, handDownTarget(context)),
  requestExtension,
  grantExtension,
  supervise: async ({ command, at }) => ({ patch: { supervisedAt: at }, step: { reason: command.reason } }),
  addCoHandler,
  merge: async (context) => await mergeInto(context),
};

async function sendOut(context: ActionContext, department: string, round: number): Promise<Effect> {
  const { attempt, task } = dispatch(context, department, round);
  const { reason } = context.command;
  return {
    patch: { department, attempt: attempt.number, round },
    newAttempt: attempt,
    step: { attempt: attempt.number, department, reason },
    dispatch: task,
  };
}

const ADD_NUMBER = `
INSERT INTO incidents.external_number (incident_id, kind, number, source) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`;

async function signFor({ tx, incident, command, by, at }: ActionContext): Promise<Effect> {
  const { externalNumber } = command;
  if (externalNumber !== null) {
    const source = incident.department ?? by;
    await tx.later.query(ADD_NUMBER, [incident.id, externalNumber.kind, externalNumber.number, source]);
  }
  const numbers =
    externalNumber === null
      ? {}
      : { externalKind: externalNumber.kind, externalNumber: externalNumber.number };
  return {
    attemptPatch: { signedAt: at, signedBy: by, ...numbers },
    step: { attempt: incident.attempt, department: incident.department },
  };
}

/** The incident is with no department afterwards. */
async function returnToCentre({ incident, command, at }: ActionContext): Promise<Effect> {
  const { reason, returnReason } = command;
  return {
    attemptPatch: { returnedAt: at, returnReason, returnText: reason, outcome: 'RETURNED' },
    patch: { department: null, returnCount: incident.returnCount + 1, extensionUntil: null },
    step: { attempt: incident.attempt, department: incident.department, reason },
  };
}

/** The same attempt goes on, with a new time to handle it. */
async function rework({ held, incident, command, at, policy }: ActionContext): Promise<Effect> {
  const handle = dueOf(policy, 'HANDLE', at, timed(incident));
  const attempt = currentAttempt(held);
  return {
    attemptPatch: {
      outcome: null,
      fedBackAt: null,
      reworkCount: attempt.reworkCount + 1,
      handleDueAt: handle.at,
      handleOverdueAt: null,
      byWeekdays: handle.byWeekdays,
    },
    patch: { verifiedAt: null, reworkCount: incident.reworkCount + 1 },
    step: { attempt: incident.attempt, department: incident.department, reason: command.reason },
  };
}

/** A round of its own: to the department named, or to the one that handled it last. */
async function reopen(context: ActionContext): Promise<Effect> {
  const { incident, command, at, policy } = context;
  const department = command.department ?? incident.department;
  if (department === null) throw badInput('department', 'expected a department: none has handled it');
  const reply = dueOf(policy, 'REPLY', at, timed(incident));
  const effect = await sendOut(context, department, incident.round + 1);
  return {
    ...effect,
    patch: {
      ...effect.patch,
      verifiedAt: null,
      closedAt: null,
      replyDueAt: reply.at,
      replyByWeekdays: reply.byWeekdays,
      replyOverdueAt: null,
    },
  };
}

function escalationTarget({ incident, command }: ActionContext): string {
  const above = incident.centre === null ? undefined : centreAbove(incident.centre);
  const target = command.centre ?? above;
  if (target === undefined)
    throw badInput('centre', 'expected a centre: none stands above the one that owns it');
  if (incident.centre === null || isCentreAbove(target, incident.centre)) return target;
  throw badInput('centre', `expected a centre above ${incident.centre}`);
}

/** Down its own branch of the tree: to a centre whose division has the place of the incident in it. */
function handDownTarget({ incident, command }: ActionContext): string {
  const target = command.centre ?? '';
  if (incident.centre !== null && !isCentreAbove(incident.centre, target))
    throw badInput('centre', `expected a centre below ${incident.centre}`);
  if (incident.division !== null && !incident.division.startsWith(divisionOfCentre(target)))
    throw badInput('centre', `expected a centre that answers for ${incident.division}`);
  return target;
}

function moveOwner({ command }: ActionContext, centre: string): Effect {
  return { patch: { centre }, step: { centre, reason: command.reason } };
}

async function requestExtension({ held, incident, command, policy }: ActionContext): Promise<Effect> {
  const attempt = currentAttempt(held);
  if (attempt.extensionCount >= policy.extensionsMax) {
    throw new HubError(
      'CONFLICT',
      `attempt ${attempt.number} of incident ${incident.id} was extended ${attempt.extensionCount} times; allowed: ${policy.extensionsMax}`,
      {
        details: { state: incident.state, action: command.action, allowed: 'feedBack,return' },
      },
    );
  }
  const { until } = command;
  if (until === null || until <= (attempt.handleDueAt ?? attempt.routedAt))
    throw badInput('until', 'expected a time after the present deadline');
  return {
    patch: { extensionUntil: until },
    step: { attempt: attempt.number, department: attempt.department, reason: command.reason },
  };
}

/** What is refused moves nothing. A deadline that has passed and is moved can pass once more. */
async function grantExtension({ held, incident, command }: ActionContext): Promise<Effect> {
  const attempt = currentAttempt(held);
  const step = { attempt: attempt.number, department: attempt.department, reason: command.reason };
  if (command.granted !== true) return { kind: 'EXTENSION_REFUSED', patch: { extensionUntil: null }, step };
  const extensionCount = attempt.extensionCount + 1;
  const attemptPatch = { handleDueAt: incident.extensionUntil, handleOverdueAt: null, extensionCount };
  return { patch: { extensionUntil: null }, attemptPatch, step };
}

const ADD_CO_HANDLER = `
INSERT INTO incidents.co_handler (incident_id, department, added_at, added_by) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING 1 AS added`;

async function addCoHandler({ tx, incident, command, by, at }: ActionContext): Promise<Effect> {
  const department = command.department ?? '';
  if (department === incident.department) throw badInput('department', `${department} handles it already`);
  const added = await tx.query(ADD_CO_HANDLER, [incident.id, department, at, by]);
  if (added.length === 0) throw badInput('department', `${department} helps already`);
  return { step: { department, attempt: incident.attempt, reason: command.reason } };
}

function currentAttempt({ attempt, incident: { id, attempt: number } }: Held): Attempt {
  invariant(attempt !== null, `incident ${id} has no attempt ${number}`);
  return attempt;
}
