import { describe, expect, it } from 'vitest';
import { isAfter, isReached, isUnderstood, stepBack } from './cursor.ts';

describe('stepBack', () => {
  it.each([
    ['2026-11-22 08:00:02.500', '2026-11-22 07:59:57.500'],
    ['2026-11-22 08:00:02', '2026-11-22 07:59:57'],
    ['2026-03-01T00:00:01', '2026-02-28T23:59:56'],
    ['2026-11-22 08:00:02+08', '2026-11-22 07:59:57+08'],
    ['2026-11-22 08:00:02.123456+08', '2026-11-22 07:59:57.123+08'],
    ['2026-11-22T08:00:02.5-03:30', '2026-11-22T07:59:57.500-03:30'],
    ['2026-11-22T00:00:02Z', '2026-11-21T23:59:57Z'],
  ])('reads again from 5 s before %s, in the same form', (time, back) => {
    expect(stepBack({ time, tie: '9' }, 5_000)).toEqual({ time: back, tie: undefined });
  });

  it('leaves a cursor that is no time as it is', () => {
    expect(stepBack({ time: '1044', tie: '9' }, 5_000)).toEqual({ time: '1044', tie: '9' });
  });
});

describe('isUnderstood', () => {
  it('takes times with and without an offset, and serial numbers', () => {
    for (const time of ['2026-11-22 08:00:00', '2026-11-22 08:00:00.1+08', '2026-11-22T00:00:00Z', '1044'])
      expect(isUnderstood(time)).toBe(true);
  });

  it('takes no other text, and no day that does not exist', () => {
    for (const time of ['昨天', '', 'infinity', '2026-02-30 00:00:00', '0000-00-00 00:00:00'])
      expect(isUnderstood(time)).toBe(false);
  });
});

describe('isReached', () => {
  const now = new Date('2026-11-22T00:00:00.200Z');

  it('lets a checkpoint move to what is not ahead of our clock, by the zone of the source', () => {
    expect(isReached('2026-11-22 08:00:00.123', 'Asia/Shanghai', now)).toBe(true);
    expect(isReached('2026-11-22 08:00:00.201', 'Asia/Shanghai', now)).toBe(false);
    expect(isReached('2026-11-22 16:00:00', 'Asia/Shanghai', now)).toBe(false);
    expect(isReached('9999-12-31 00:00:00', 'Asia/Shanghai', now)).toBe(false);
  });

  it('reads an offset before the zone', () => {
    expect(isReached('2026-11-22 08:00:00+08', 'UTC', now)).toBe(true);
    expect(isReached('2026-11-22 08:00:00+07', 'Asia/Shanghai', now)).toBe(false);
    expect(isReached('2026-11-22T00:00:00Z', 'America/St_Johns', now)).toBe(true);
  });

  it('takes a serial number and no other text', () => {
    expect(isReached('1044', 'Asia/Shanghai', now)).toBe(true);
    expect(isReached('昨天', 'Asia/Shanghai', now)).toBe(false);
    expect(isReached('', 'Asia/Shanghai', now)).toBe(false);
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

  it('compares times with offsets as instants', () => {
    const earlier = { time: '2026-11-22 10:00:00+08', tie: '' };
    expect(isAfter({ time: '2026-11-22 03:00:00+00', tie: '' }, earlier)).toBe(true);
    expect(isAfter({ time: '2026-11-22 10:00:00.000001+08', tie: '' }, earlier)).toBe(true);
  });
});
