import { describe, expect, it } from 'vitest';
import { type IncidentState, STATE_LABELS } from './labels.ts';
import { actionsFrom, requireTransition, TRANSITIONS } from './state-machine.ts';

const STATES = Object.keys(STATE_LABELS) as IncidentState[];

describe('the state machine of incidents', () => {
  it('leads from REPORTED to every state', () => {
    const reached = new Set<IncidentState>(['REPORTED']);
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

  it('knows the returns: to the centre, to rework, and a reopened one', () => {
    expect(TRANSITIONS.HANDLING).toContain('RETURNED');
    expect(TRANSITIONS.RETURNED).toContain('ROUTED');
    expect(TRANSITIONS.VERIFYING).toContain('HANDLING');
    expect(TRANSITIONS.EVALUATED).toContain('ROUTED');
  });

  it('offers accept before route, and nothing at the end', () => {
    expect(actionsFrom('REPORTED')).toEqual(['accept']);
    expect(actionsFrom('ACCEPTED')).toEqual(['route']);
    expect(actionsFrom('MERGED')).toEqual([]);
  });

  it.each(STATES)('allows from %s exactly what it offers, and says so', (state) => {
    for (const action of ['accept', 'route'] as const) {
      const attempt = () => requireTransition('42', state, action);
      if (actionsFrom(state).includes(action)) expect(attempt).not.toThrow();
      else
        expect(attempt).toThrow(
          expect.objectContaining({
            code: 'CONFLICT',
            message: `incident 42 is ${state} (${STATE_LABELS[state]}): ${action} is not allowed; allowed: ${actionsFrom(state).join(', ') || 'nothing'}`,
          }),
        );
    }
  });
});
