import { describe, expect, it } from 'vitest';
import { isAfter, isSaneTime, stepBack } from './cursor.ts';

describe('stepBack', () => {
  it.each([
    ['2026-11-22 08:00:02.500', '2026-11-22 07:59:57.500'],
    ['2026-11-22 08:00:02', '2026-11-22 07:59:57'],
    ['2026-03-01T00:00:01', '2026-02-28T23:59:56'],
  ])('reads again from 5 s before %s, in the same form', (time, back) => {
    expect(stepBack({ time, tie: '9' }, 5_000)).toEqual({ time: back, tie: undefined });
  });

  it('leaves a cursor that is no time as it is', () => {
    expect(stepBack({ time: '1044', tie: '9' }, 5_000)).toEqual({ time: '1044', tie: '9' });
  });
});

describe('isSaneTime', () => {
  const now = new Date('2026-11-22T00:00:00Z');

  it('takes times up to a day ahead by the clock of the source', () => {
    expect(isSaneTime('2026-11-22 08:00:00.123', 'Asia/Shanghai', now)).toBe(true);
    expect(isSaneTime('2026-11-23 07:59:59', 'Asia/Shanghai', now)).toBe(true);
    expect(isSaneTime('2026-11-23 08:00:01', 'Asia/Shanghai', now)).toBe(false);
    expect(isSaneTime('9999-12-31 00:00:00', 'Asia/Shanghai', now)).toBe(false);
  });

  it('takes a serial number and no other text', () => {
    expect(isSaneTime('1044', 'Asia/Shanghai', now)).toBe(true);
    expect(isSaneTime('昨天', 'Asia/Shanghai', now)).toBe(false);
    expect(isSaneTime('', 'Asia/Shanghai', now)).toBe(false);
  });
});

describe('isAfter', () => {
  it('compares times as text, serial numbers as numbers, then the tie', () => {
    expect(isAfter({ time: '2026-11-22 08:00:00', tie: 'a' }, undefined)).toBe(true);
    expect(isAfter({ time: '10', tie: '' }, { time: '9', tie: '' })).toBe(true);
    expect(isAfter({ time: '10', tie: 'a' }, { time: '10', tie: 'b' })).toBe(false);
    expect(
      isAfter({ time: '2026-11-22 08:00:00', tie: 'b' }, { time: '2026-11-22 08:00:00', tie: 'a' }),
    ).toBe(true);
  });
});
