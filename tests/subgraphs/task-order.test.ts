import {
  comparePlaces,
  decodePlace,
  encodePlace,
  type TaskPlace,
} from '@weft/subgraphs/incidents/tasks/task';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const TIME = fc.integer({ min: 0, max: 3 }).map((hours) => new Date(hours * 3_600_000));
const PLACE: fc.Arbitrary<TaskPlace> = fc.record({
  due: fc.option(TIME),
  from: TIME,
  kind: fc.constantFrom('INCIDENT', 'GRID_TASK', 'HOTLINE_ORDER'),
  number: fc.constantFrom('a', 'b', 'c'),
});

describe('the order of tasks', () => {
  it('is one order: what stands before what stands before a third stands before that', () => {
    fc.assert(
      fc.property(PLACE, PLACE, PLACE, (one, other, third) => {
        expect(Math.sign(comparePlaces(one, other))).toBe(-Math.sign(comparePlaces(other, one)) + 0);
        if (comparePlaces(one, other) <= 0 && comparePlaces(other, third) <= 0)
          expect(comparePlaces(one, third)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('puts what is due first first, and behind all of it what is never due, the oldest first', () => {
    const at = (due: number | null, from: number, number: string): TaskPlace => ({
      due: due === null ? null : new Date(due),
      from: new Date(from),
      kind: 'INCIDENT',
      number,
    });
    const places = [at(null, 1, 'd'), at(9, 5, 'b'), at(null, 0, 'c'), at(2, 7, 'a')];
    expect(
      places
        .sort(comparePlaces)
        .map(({ number }) => number)
        .join(''),
    ).toBe('abcd');
  });

  it('outlives the way to a client and back as a cursor', () => {
    fc.assert(
      fc.property(PLACE, (place) => {
        expect(decodePlace(encodePlace(place))).toEqual(place);
      }),
    );
  });

  it.each([
    '',
    'x',
    'bnVsbA',
    Buffer.from('["1",null,null,"INCIDENT","a"]').toString('base64url'),
    Buffer.from('["1",9e99,0,"INCIDENT","a"]').toString('base64url'),
    Buffer.from('["2",null,0,"INCIDENT","a"]').toString('base64url'),
    Buffer.from('["1",null,0,"toString","a"]').toString('base64url'),
    'x'.repeat(1_000),
  ])('refuses what is no cursor: %.30s', (cursor) => {
    expect(() => decodePlace(cursor)).toThrow(
      expect.objectContaining({ code: 'INVALID_CURSOR', details: { argument: 'after' } }),
    );
  });
});
