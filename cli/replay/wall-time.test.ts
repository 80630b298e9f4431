import { OperatorError } from '@weft/core/errors';
import { describe, expect, test } from 'vitest';
import { createTimeReader, toShanghaiText } from './wall-time.ts';

const readShanghai = createTimeReader('M/d/yy H:mm', 'Asia/Shanghai');

describe('a time reader', () => {
  test.each([
    ['1/1/20 0:05', '2020-01-01 00:05:00'],
    ['12/31/19 23:59', '2019-12-31 23:59:00'],
    [' 2/29/20 7:00 ', '2020-02-29 07:00:00'],
  ])('reads %s as the clock of the zone shows it', (text, expected) => {
    expect(toShanghaiText(readShanghai(text) ?? Number.NaN)).toBe(expected);
  });

  test.each(['', '2/30/20 0:00', '13/1/20 0:00', '1/1/20 24:00', '1/1/20', '2020-01-01 00:05', '1/1/20 0:5'])(
    "refuses '%s'",
    (text) => {
      expect(readShanghai(text)).toBeUndefined();
    },
  );

  test('reckons with the summer time of a zone that has one', () => {
    const read = createTimeReader('yyyy-MM-dd HH:mm:ss', 'America/Los_Angeles');
    expect(read('2020-01-01 00:00:00')).toBe(Date.parse('2020-01-01T00:00:00-08:00'));
    expect(read('2020-07-01 00:00:00')).toBe(Date.parse('2020-07-01T00:00:00-07:00'));
    expect(read('2020-03-08 03:30:00')).toBe(Date.parse('2020-03-08T03:30:00-07:00'));
  });

  test('is not made from a pattern without a date or for a zone that does not exist', () => {
    expect(() => createTimeReader('H:mm', 'Asia/Shanghai')).toThrow(OperatorError);
    expect(() => createTimeReader('M/d/yy', 'Asia/Nowhere')).toThrow(OperatorError);
  });
});
