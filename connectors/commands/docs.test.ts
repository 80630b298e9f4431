import { readFileSync } from 'node:fs';
import { Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { COMMAND_STATES, TRANSITIONS } from './states.ts';

const PAGE = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8');
const SDL = parse(readFileSync(new URL('../subgraph/schema.graphql', import.meta.url), 'utf8'));

function valuesOf(name: string): readonly string[] {
  return SDL.definitions.flatMap((node) =>
    node.kind === Kind.ENUM_TYPE_DEFINITION && node.name.value === name
      ? (node.values ?? []).map((value) => value.name.value)
      : [],
  );
}

describe('docs/commands.md', () => {
  it('has every transition, and no other', () => {
    const section = /^## States$([\s\S]*?)^## /m.exec(PAGE)?.[1] ?? '';
    const rows = [...section.matchAll(/^\| ([A-Z, ]+) \| ([A-Z_]+) \| ([A-Z]+) \| .+ \|$/gm)];
    const told = rows.flatMap(([, from = '', cause, to]) =>
      from.split(', ').map((one) => `${one} ${cause} ${to}`),
    );
    expect(told.toSorted()).toEqual(
      TRANSITIONS.map(({ from, cause, to }) => `${from} ${cause} ${to}`).toSorted(),
    );
  });
});

describe('the SDL of commands', () => {
  it('has the states and the causes that there are', () => {
    expect(valuesOf('CommandState')).toEqual(COMMAND_STATES);
    expect(valuesOf('CommandCause').toSorted()).toEqual(
      [...new Set(['ACCEPTED', ...TRANSITIONS.map(({ cause }) => cause)])].toSorted(),
    );
  });
});
