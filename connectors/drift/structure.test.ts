import { describe, expect, it } from 'vitest';
import { CHANGES_MAX, compareHeader, compareStructures, hashOfStructure } from './structure.ts';
import { msUntilNight } from './watch-drift.ts';

describe('two structures', () => {
  it('are compared by name: what changed, went and came', () => {
    const before = new Map([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ]);
    const now = new Map([
      ['d', '4'],
      ['c', '3'],
      ['a', '0'],
    ]);
    expect(compareStructures(before, now)).toEqual({
      changes: ['~ a: 1 -> 0', '- b', '+ d'],
      changeCount: 3,
    });
  });

  it('have one hash when they say the same in another order, and else not', () => {
    const one = new Map([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect(hashOfStructure(one)).toBe(hashOfStructure(new Map([...one].reverse())));
    expect(hashOfStructure(one)).not.toBe(
      hashOfStructure(
        new Map([
          ['a', '1'],
          ['b', '3'],
        ]),
      ),
    );
  });

  it('differ in a list of bounded length', () => {
    const many = new Map(Array.from({ length: 500 }, (_, at) => [`x${at}`, ''] as const));
    const found = compareStructures(new Map(), many);
    expect([found.changes.length, found.changeCount]).toEqual([CHANGES_MAX, 500]);
  });

  it('of CSV headers do not differ by the order of columns', () => {
    expect(compareHeader(['a', 'b'], ['b', 'a']).changeCount).toBe(0);
    expect(compareHeader(['a', 'b'], ['a', '新']).changes).toEqual(['- column b', '+ column 新']);
  });
});

describe('the night', () => {
  it('is 03:00 in the zone of the source, or up to half an hour later', () => {
    const now = new Date('2026-11-29T16:00:00Z');
    expect(msUntilNight(now, 'Asia/Shanghai', 0)).toBe(3 * 3_600_000);
    expect(msUntilNight(now, 'UTC', 0)).toBe(11 * 3_600_000);
    expect(msUntilNight(now, 'UTC', 1)).toBe(11.5 * 3_600_000);
    expect(msUntilNight(new Date('2026-11-29T19:00:00Z'), 'Asia/Shanghai', 0)).toBe(24 * 3_600_000);
  });
});
