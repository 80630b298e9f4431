// The life of an incident as data: which state may follow which, and what each action does and needs.
import { type IncidentState, STATE_LABELS } from './labels.ts';

/** What may follow each state. Escalation is no state: it changes the owning centre and is kept as a step. */
export const TRANSITIONS: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  DRAFT: ['REPORTED'],
  REPORTED: ['ACCEPTED', 'MERGED'],
  ACCEPTED: ['ROUTED', 'REJECTED', 'INVALID', 'MERGED'],
  ROUTED: ['HANDLING', 'RETURNED', 'MERGED'],
  HANDLING: ['FED_BACK', 'RETURNED', 'MERGED'],
  RETURNED: ['ROUTED', 'MERGED'],
  FED_BACK: ['VERIFYING', 'MERGED'],
  VERIFYING: ['CLOSED', 'HANDLING', 'MERGED'],
  CLOSED: ['EVALUATED'],
  EVALUATED: ['ROUTED'],
  REJECTED: [],
  INVALID: [],
  MERGED: [],
};

/** Between a report and its end: what can be merged, escalated and supervised. */
export const OPEN_STATES = [
  'REPORTED',
  'ACCEPTED',
  'ROUTED',
  'HANDLING',
  'RETURNED',
  'FED_BACK',
  'VERIFYING',
] as const satisfies readonly IncidentState[];

/** The kinds of steps, which is the enum IncidentChangeKind, with their labels. */
export const CHANGE_LABELS = {
  DRAFTED: '起草',
  REPORTED: '上报',
  ACCEPTED: '受理',
  REJECTED: '不予受理',
  INVALIDATED: '判为无效',
  ROUTED: '分流',
  SIGNED: '签收',
  RETURNED: '退回',
  FED_BACK: '反馈',
  VERIFICATION_STARTED: '开始核查',
  VERIFIED: '核查通过',
  REWORKED: '返工',
  CLOSED: '办结',
  EVALUATED: '评价',
  REOPENED: '重办',
  ESCALATED: '上报上级',
  HANDED_DOWN: '下派',
  EXTENSION_REQUESTED: '申请延期',
  EXTENSION_GRANTED: '同意延期',
  EXTENSION_REFUSED: '不同意延期',
  SUPERVISED: '督办',
  CO_HANDLER_ADDED: '加派协办',
  MERGED: '合并',
  ABSORBED: '并入重复件',
  OVERDUE: '超期',
  DELIVERY: '送达',
} as const;

export type ChangeKind = keyof typeof CHANGE_LABELS;

/** What an action needs besides the incident. */
export type ActionInput =
  | 'department'
  | 'reason'
  | 'returnReason'
  | 'result'
  | 'rating'
  | 'centre'
  | 'until'
  | 'granted'
  | 'into';

/** What must hold besides the state: see `GUARDS`. */
export type Guard = 'verified' | 'extensionPending' | 'noExtensionPending';

export interface ActionRule {
  readonly label: string;
  /** The field of Mutation. */
  readonly mutation: string;
  readonly from: readonly IncidentState[];
  /** Null: the state stays. */
  readonly to: IncidentState | null;
  readonly kind: ChangeKind;
  readonly inputs: readonly ActionInput[];
  readonly guard?: Guard;
}

/** Every action that the graph offers. */
export const ACTIONS = {
  submit: {
    label: '提交',
    mutation: 'submitIncident',
    from: ['DRAFT'],
    to: 'REPORTED',
    kind: 'REPORTED',
    inputs: [],
  },
  accept: {
    label: '受理',
    mutation: 'acceptIncident',
    from: ['REPORTED'],
    to: 'ACCEPTED',
    kind: 'ACCEPTED',
    inputs: [],
  },
  reject: {
    label: '不予受理',
    mutation: 'rejectIncident',
    from: ['ACCEPTED'],
    to: 'REJECTED',
    kind: 'REJECTED',
    inputs: ['reason'],
  },
  markInvalid: {
    label: '判为无效',
    mutation: 'markIncidentInvalid',
    from: ['ACCEPTED'],
    to: 'INVALID',
    kind: 'INVALIDATED',
    inputs: ['reason'],
  },
  route: {
    label: '分流',
    mutation: 'routeIncident',
    from: ['ACCEPTED', 'RETURNED'],
    to: 'ROUTED',
    kind: 'ROUTED',
    inputs: ['department'],
  },
  signFor: {
    label: '签收',
    mutation: 'signForIncident',
    from: ['ROUTED'],
    to: 'HANDLING',
    kind: 'SIGNED',
    inputs: [],
  },
  return: {
    label: '退回',
    mutation: 'returnIncident',
    from: ['ROUTED', 'HANDLING'],
    to: 'RETURNED',
    kind: 'RETURNED',
    inputs: ['returnReason', 'reason'],
  },
  feedBack: {
    label: '反馈',
    mutation: 'feedBackIncident',
    from: ['HANDLING'],
    to: 'FED_BACK',
    kind: 'FED_BACK',
    inputs: ['result'],
  },
  startVerification: {
    label: '开始核查',
    mutation: 'startIncidentVerification',
    from: ['FED_BACK'],
    to: 'VERIFYING',
    kind: 'VERIFICATION_STARTED',
    inputs: [],
  },
  pass: {
    label: '核查通过',
    mutation: 'passIncident',
    from: ['VERIFYING'],
    to: null,
    kind: 'VERIFIED',
    inputs: [],
  },
  rework: {
    label: '返工',
    mutation: 'reworkIncident',
    from: ['VERIFYING'],
    to: 'HANDLING',
    kind: 'REWORKED',
    inputs: ['reason'],
  },
  close: {
    label: '办结',
    mutation: 'closeIncident',
    from: ['VERIFYING'],
    to: 'CLOSED',
    kind: 'CLOSED',
    inputs: [],
    guard: 'verified',
  },
  evaluate: {
    label: '评价',
    mutation: 'evaluateIncident',
    from: ['CLOSED'],
    to: 'EVALUATED',
    kind: 'EVALUATED',
    inputs: ['rating'],
  },
  reopen: {
    label: '重办',
    mutation: 'reopenIncident',
    from: ['EVALUATED'],
    to: 'ROUTED',
    kind: 'REOPENED',
    inputs: ['reason'],
  },
  escalate: {
    label: '上报上级',
    mutation: 'escalateIncident',
    from: OPEN_STATES,
    to: null,
    kind: 'ESCALATED',
    inputs: [],
  },
  handDown: {
    label: '下派',
    mutation: 'handDownIncident',
    from: OPEN_STATES,
    to: null,
    kind: 'HANDED_DOWN',
    inputs: ['centre'],
  },
  requestExtension: {
    label: '申请延期',
    mutation: 'requestIncidentExtension',
    from: ['HANDLING'],
    to: null,
    kind: 'EXTENSION_REQUESTED',
    inputs: ['until', 'reason'],
    guard: 'noExtensionPending',
  },
  grantExtension: {
    label: '批复延期',
    mutation: 'grantIncidentExtension',
    from: ['HANDLING'],
    to: null,
    kind: 'EXTENSION_GRANTED',
    inputs: ['granted'],
    guard: 'extensionPending',
  },
  supervise: {
    label: '督办',
    mutation: 'superviseIncident',
    from: OPEN_STATES,
    to: null,
    kind: 'SUPERVISED',
    inputs: ['reason'],
  },
  addCoHandler: {
    label: '加派协办',
    mutation: 'addIncidentCoHandler',
    from: ['ROUTED', 'HANDLING'],
    to: null,
    kind: 'CO_HANDLER_ADDED',
    inputs: ['department'],
  },
  merge: {
    label: '合并',
    mutation: 'mergeIncident',
    from: OPEN_STATES,
    to: 'MERGED',
    kind: 'MERGED',
    inputs: ['into'],
  },
} as const satisfies Record<string, ActionRule>;

export type Action = keyof typeof ACTIONS;

/** Each action, in the order of the way of an incident. */
export const ACTION_NAMES = Object.keys(ACTIONS) as readonly Action[];

/** One action's rule, as all have it. */
export function ruleOf(action: Action): ActionRule {
  return ACTIONS[action];
}

/** What of an incident decides whether an action's guard holds. */
export interface GuardedIncident {
  readonly verifiedAt: Date | null;
  readonly extensionUntil: Date | null;
}

/** Each guard: whether it holds, and what to say when it does not. */
export const GUARDS: Readonly<
  Record<Guard, { readonly holds: (incident: GuardedIncident) => boolean; readonly otherwise: string }>
> = {
  verified: { holds: ({ verifiedAt }) => verifiedAt !== null, otherwise: 'its verification has not passed' },
  extensionPending: {
    holds: ({ extensionUntil }) => extensionUntil !== null,
    otherwise: 'no extension is asked for',
  },
  noExtensionPending: {
    holds: ({ extensionUntil }) => extensionUntil === null,
    otherwise: 'an extension is asked for already',
  },
};

/** The actions that state and guards allow, whoever asks. */
export function actionsFrom(state: IncidentState, incident?: GuardedIncident): readonly Action[] {
  return ACTION_NAMES.filter((action) => {
    const { from, guard } = ruleOf(action);
    return (
      from.includes(state) && (guard === undefined || incident === undefined || GUARDS[guard].holds(incident))
    );
  });
}

/** Why state or guards forbid an action; undefined when they do not. */
export function whyNot(action: Action, state: IncidentState, incident: GuardedIncident): string | undefined {
  const { from, guard } = ruleOf(action);
  if (!from.includes(state)) return `is ${state} (${STATE_LABELS[state]})`;
  if (guard === undefined || GUARDS[guard].holds(incident)) return undefined;
  return `is ${state} (${STATE_LABELS[state]}), and ${GUARDS[guard].otherwise}`;
}
