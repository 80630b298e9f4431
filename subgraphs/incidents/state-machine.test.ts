import { describe, expect, it } from 'vitest';
import { type IncidentState, STATE_LABELS } from './labels.ts';
import {
  ACTION_NAMES,
  actionsFrom,
  CHANGE_LABELS,
  GUARDS,
  OPEN_STATES,
  ruleOf,
  TRANSITIONS,
  whyNot,
} from './state-machine.ts';

const STATES = Object.keys(STATE_LABELS) as IncidentState[];
const UNGUARDED = { verifiedAt: null, extensionUntil: null };

describe('the state machine of incidents', () => {
  it('leads from DRAFT to every state', () => {
    const reached = new Set<IncidentState>(['DRAFT']);
    for (const state of reached) for (const next of TRANSITIONS[state]) reached.add(next);
    expect([...reached].sort()).toEqual([...STATES].sort());
  });

  it('ends in REJECTED, INVALID and MERGED only', () => {
    expect(STATES.filter((state) => TRANSITIONS[state].length === 0)).toEqual([
      'REJECTED',
      'INVALID',
      'MERGED',
    ]);
  });

  it('knows the returns: refused at sign-for, given back, to rework, and reopened', () => {
    expect(TRANSITIONS.ROUTED).toContain('RETURNED');
    expect(TRANSITIONS.HANDLING).toContain('RETURNED');
    expect(TRANSITIONS.RETURNED).toContain('ROUTED');
    expect(TRANSITIONS.VERIFYING).toContain('HANDLING');
    expect(TRANSITIONS.EVALUATED).toContain('ROUTED');
  });

  it('has an action for each transition, and none besides', () => {
    const byActions = ACTION_NAMES.flatMap((action) => {
      const { from, to } = ruleOf(action);
      return to === null ? [] : from.map((state) => `${state} ${to}`);
    });
    const all = STATES.flatMap((state) => TRANSITIONS[state].map((next) => `${state} ${next}`));
    expect([...new Set(byActions)].sort()).toEqual(all.sort());
    expect(byActions).toHaveLength(all.length);
  });

  it('has a name of its own in the graph for each action, and a kind of step that has a label', () => {
    expect(new Set(ACTION_NAMES.map((action) => ruleOf(action).mutation)).size).toBe(ACTION_NAMES.length);
    for (const action of ACTION_NAMES) expect(CHANGE_LABELS).toHaveProperty(ruleOf(action).kind);
  });

  it('can merge, escalate and supervise whatever is open', () => {
    for (const action of ['merge', 'escalate', 'handDown', 'supervise'] as const)
      expect(ruleOf(action).from).toEqual(OPEN_STATES);
  });

  it('closes only what has passed its verification', () => {
    expect(whyNot('close', 'VERIFYING', UNGUARDED)).toBe(
      'is VERIFYING (核查), and its verification has not passed',
    );
    expect(whyNot('close', 'VERIFYING', { ...UNGUARDED, verifiedAt: new Date() })).toBeUndefined();
    expect(actionsFrom('VERIFYING', UNGUARDED)).not.toContain('close');
  });

  it('answers an extension only when one is asked for, and lets none be asked for meanwhile', () => {
    expect(GUARDS.extensionPending.holds(UNGUARDED)).toBe(false);
    expect(actionsFrom('HANDLING', UNGUARDED)).toContain('requestExtension');
    const asked = { ...UNGUARDED, extensionUntil: new Date() };
    expect(actionsFrom('HANDLING', asked)).toContain('grantExtension');
    expect(actionsFrom('HANDLING', asked)).not.toContain('requestExtension');
  });

  it.each(STATES)('says of %s why it allows exactly what it offers', (state) => {
    for (const action of ACTION_NAMES) {
      const offered = actionsFrom(state, UNGUARDED).includes(action);
      expect(whyNot(action, state, UNGUARDED) === undefined).toBe(offered);
    }
  });
});
