import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PERMISSIONS, type Reach } from './authority.ts';
import { DEADLINE_LABELS, type IncidentState, STATE_LABELS } from './labels.ts';
import { ACTION_NAMES, OPEN_STATES, ruleOf, TRANSITIONS } from './state-machine.ts';
import { DEFAULT_POLICY, parsePolicy } from './time/deadline-policy.ts';

const page = readFileSync(new URL('../../docs/incidents.md', import.meta.url), 'utf8');

/** The rows of the table below a heading, each as its cells. */
function tableOf(heading: string): readonly (readonly string[])[] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  // The last one, when there are several.
  const table =
    section
      .split(/\n(?!\|)/)
      .filter((part) => part.includes('\n|'))
      .at(-1) ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const codes = (cell: string | undefined) =>
  [...(cell ?? '').matchAll(/`(\w[\w-]*)`/g)].map(([, code]) => code ?? '');

describe('docs/incidents.md', () => {
  it('lists every state with its label and what it may become', () => {
    const listed = tableOf('States').map(([state, label, next]) => [codes(state)[0], label, codes(next)]);
    const states = Object.keys(STATE_LABELS) as IncidentState[];
    expect(listed).toEqual(states.map((state) => [state, STATE_LABELS[state], [...TRANSITIONS[state]]]));
  });

  it('lists every action as it is', () => {
    const listed = tableOf('Actions').map(([name, mutation, from, to, step, needs]) => ({
      action: codes(name)[0],
      label: name?.split(' ')[1],
      mutation: codes(mutation)[0],
      from: from === 'open' ? [...OPEN_STATES] : codes(from),
      to: to === '·' ? null : codes(to)[0],
      kind: codes(step)[0],
      inputs: codes(needs),
    }));
    const rules = ACTION_NAMES.map((action) => {
      const { label, mutation, from, to, kind, inputs } = ruleOf(action);
      return { action, label, mutation, from: [...from], to, kind, inputs: [...inputs] };
    });
    expect(listed).toEqual(rules);
  });

  it('lists what every role may, and how far', () => {
    const reaches: readonly Reach[] = ['SUBTREE', 'DEPARTMENT', 'OWN'];
    const listed = tableOf('Who may').flatMap(([roles, ...cells]) =>
      codes(roles).map((role) => [
        role,
        reaches.map((_, index) => (cells[index] ?? '').split(', ').filter(Boolean).sort()),
      ]),
    );
    const table = Object.entries(PERMISSIONS).map(([role, actions]) => [
      role,
      reaches.map((reach) =>
        Object.entries(actions)
          .filter(([, given]) => given === reach)
          .map(([action]) => action)
          .sort(),
      ),
    ]);
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(table.filter(([role]) => role !== 'anonymous')),
    );
  });

  it('shows the deadlines that are in force, in a file that can be read', () => {
    const example = /```json\n([\s\S]*?)```/.exec(page.split('## Deadlines')[1] ?? '')?.[1] ?? '';
    expect(parsePolicy(JSON.parse(example))).toEqual(DEFAULT_POLICY);
    expect(tableOf('Deadlines').map(([kind]) => kind)).toEqual(
      Object.entries(DEADLINE_LABELS).map(([kind, label]) => `\`${kind}\` ${label}`),
    );
  });
});
