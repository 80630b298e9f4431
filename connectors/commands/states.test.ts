import { describe, expect, it } from 'vitest';
import { COMMAND_STATES, nextState, statesBefore, TRANSITIONS, UNSETTLED } from './states.ts';

describe('the states of a command', () => {
  it('have one way for each cause from each state, and one state that a cause leads to', () => {
    const ways = TRANSITIONS.map(({ from, cause }) => `${from} ${cause}`);
    expect(new Set(ways).size).toBe(ways.length);
    for (const { cause, to } of TRANSITIONS) {
      for (const from of statesBefore(cause)) expect(nextState(from, cause)).toBe(to);
    }
  });

  it('are left by nothing once the old system has decided, or what they were to carry out has ended', () => {
    for (const { from } of TRANSITIONS) expect(['APPLIED', 'REJECTED', 'SUPERSEDED']).not.toContain(from);
  });

  it('lead to a sending from PENDING alone, and back there only by what says that nothing was applied', () => {
    expect(statesBefore('TAKEN')).toEqual(['PENDING']);
    const back = TRANSITIONS.filter(({ to }) => to === 'PENDING').map(({ cause }) => cause);
    expect([...new Set(back)]).toEqual(['NOT_SENT', 'NOT_FOUND', 'RETRYABLE', 'REDRIVEN']);
  });

  it('are each reached, and all that is not settled can be settled', () => {
    const reached = new Set(['PENDING', ...TRANSITIONS.map(({ to }) => to)]);
    expect(COMMAND_STATES.filter((state) => !reached.has(state))).toEqual([]);
    for (const state of UNSETTLED) expect(TRANSITIONS.some(({ from }) => from === state)).toBe(true);
  });
});
