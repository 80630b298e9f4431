// The laws of what a live field takes from an event's data.
import { describe, expect, it } from 'vitest';
import { compileMessage } from './message.ts';

describe('message', () => {
  it('takes what it names and nothing else, null where the data has none', () => {
    const pick = compileMessage('{ incident { id } change { kind at } note }');
    const data = {
      incident: { id: '7', secret: 1 },
      change: { kind: 'REPORTED', by: 'x' },
      division: '320508',
    };
    expect(pick(data)).toEqual({ incident: { id: '7' }, change: { kind: 'REPORTED', at: null }, note: null });
    expect(pick({})).toEqual({ incident: null, change: null, note: null });
  });

  it('takes lists item by item, and a field without a selection whole', () => {
    const pick = compileMessage('{ orders { id } raw }');
    const data = { orders: [{ id: '1', x: 1 }, null, [{ id: '2' }]], raw: { a: [1] } };
    expect(pick(data)).toEqual({ orders: [{ id: '1' }, null, [{ id: '2' }]], raw: { a: [1] } });
  });

  it('finds nothing that the data only inherits', () => {
    expect(compileMessage('{ constructor toString { name } }')({})).toEqual({
      constructor: null,
      toString: null,
    });
  });

  it('takes a plain value for no object', () => {
    expect(compileMessage('{ incident { id } }')({ incident: 'x' })).toEqual({ incident: null });
  });

  it('is a selection of plain fields', () => {
    for (const wrong of ['{ a: incident { id } }', '{ ... on X { id } }', 'fragment F on X { id }']) {
      expect(() => compileMessage(wrong)).toThrow(/plain fields/);
    }
  });
});
