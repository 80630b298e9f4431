// The life of an incident as data: which state may follow which, and what each action does.
import { HubError } from '@weft/core/errors';
import { type IncidentState, STATE_LABELS } from './labels.ts';

/** What may follow each state. Escalation is no state: it changes the owning centre and is kept as a step. */
export const TRANSITIONS: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
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

/** The actions that the graph offers: the state each leads to, and the kind of its step. */
export const ACTIONS = {
  accept: { to: 'ACCEPTED', kind: 'ACCEPTED' },
  route: { to: 'ROUTED', kind: 'ROUTED' },
} as const satisfies Record<string, { to: IncidentState; kind: ChangeKind }>;

export type Action = keyof typeof ACTIONS;
/** The enum IncidentChangeKind. */
export type ChangeKind = 'REPORTED' | 'ACCEPTED' | 'ROUTED';

/** The actions of the graph that a state allows. */
export function actionsFrom(state: IncidentState): readonly Action[] {
  return (Object.keys(ACTIONS) as Action[]).filter((action) =>
    TRANSITIONS[state].includes(ACTIONS[action].to),
  );
}

/** @throws HubError CONFLICT naming the state and what it allows */
export function requireTransition(incidentId: string, state: IncidentState, action: Action): void {
  const allowed = actionsFrom(state);
  if (allowed.includes(action)) return;
  throw new HubError(
    'CONFLICT',
    `incident ${incidentId} is ${state} (${STATE_LABELS[state]}): ${action} is not allowed; allowed: ${allowed.join(', ') || 'nothing'}`,
    { details: { state, action, allowed: allowed.join(',') } },
  );
}
