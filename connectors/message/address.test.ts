import { describe, expect, it } from 'vitest';
import { filterOf, levelsOf, matchTopic } from './address.ts';
import { backOffMs } from './keep-link.ts';

describe('a topic pattern', () => {
  it('is a filter with a wildcard for each named level', () => {
    expect(filterOf('city/{deviceId}/up/{metric}')).toBe('city/+/up/+');
  });

  it('names the levels of the topics that fit, and of no others', () => {
    expect({ ...matchTopic('city/{d}/up/{m}', 'city/D1/up/pm25') }).toEqual({ d: 'D1', m: 'pm25' });
    for (const topic of ['city/D1/up', 'city/D1/up/a/b', 'town/D1/up/a', 'city/D1/down/a'])
      expect(matchTopic('city/{d}/up/{m}', topic)).toBeUndefined();
  });

  it('holds no wildcard, half placeholder or empty level', () => {
    for (const level of ['+', '#', '', '{a', '{a-b}', 'x{a}'])
      expect(levelsOf(`city/${level}`)[1]).toEqual({ kind: 'wrong', text: level });
  });
});

describe('backOffMs', () => {
  it('doubles up to a bound, and is never the same for two', () => {
    expect([1, 2, 3, 99].map((failures) => backOffMs(failures, () => 1))).toEqual([250, 500, 1_000, 10_000]);
    expect([1, 99].map((failures) => backOffMs(failures, () => 0))).toEqual([125, 5_000]);
  });
});
