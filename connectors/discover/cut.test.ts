import { describe, expect, it } from 'vitest';
import type { ContractType, Shape } from './contract-model.ts';
import { cutTypes } from './cut.ts';

const TEXT: Shape = { kind: 'scalar', type: 'String' };

function object(id: string, members: Record<string, Shape>): ContractType {
  return {
    kind: 'object',
    id,
    name: id,
    members: Object.entries(members).map(([name, shape]) => ({ name, shape })),
  };
}

function table(...types: readonly ContractType[]): ReadonlyMap<string, ContractType> {
  return new Map(types.map((type) => [type.id, type]));
}

function fieldsOf(types: ReadonlyMap<string, ContractType>, id: string): readonly string[] {
  const type = types.get(id);
  return type?.kind === 'object' ? type.members.map(({ name }) => name) : [];
}

const named = (id: string): Shape => ({ kind: 'named', id });

describe('cutTypes', () => {
  it('leaves out a field that leads back to its own type, wherever the type is met', () => {
    const types = table(object('Node', { name: TEXT, children: { kind: 'list', of: named('Node') } }));
    const cut = cutTypes(types, [named('Node')]);
    expect(fieldsOf(cut.types, 'Node')).toEqual(['name']);
    expect(cut.leftOut).toEqual([
      { what: 'Node.children', why: 'it leads back to its own type: a select has an end' },
    ]);
  });

  it('cuts a circle of several types at one place, whichever of them is asked for', () => {
    const types = table(object('A', { x: TEXT, b: named('B') }), object('B', { y: TEXT, a: named('A') }));
    const cut = cutTypes(types, [named('A'), named('B')]);
    expect([fieldsOf(cut.types, 'A'), fieldsOf(cut.types, 'B')]).toEqual([['x', 'b'], ['y']]);
  });

  it('bounds a select that would grow with every type', () => {
    const levels = Array.from({ length: 30 }, (_, at) =>
      object(`T${at}`, { left: named(`T${at + 1}`), right: named(`T${at + 1}`), x: TEXT }),
    );
    const cut = cutTypes(table(...levels, object('T30', { x: TEXT })), [named('T0')]);
    expect(cut.types.size).toBe(31);
    expect(fieldsOf(cut.types, 'T0')).toContain('x');
    expect(cut.leftOut.length).toBeGreaterThan(0);
  });

  it('passes over a type without fields, and what holds it', () => {
    const cut = cutTypes(table(object('Empty', {}), object('A', { x: TEXT, e: named('Empty') })), [
      named('A'),
    ]);
    expect(fieldsOf(cut.types, 'A')).toEqual(['x']);
  });
});
