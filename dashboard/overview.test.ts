// What the overview says of each system's own count: in words, whatever its colour.
import { describe, expect, test } from 'vitest';
import { describeAge, describeCount } from './public/live/overview-panel.js';

const count = (state: string, reason: string | null) => ({ system: null, open: 1, age: 1, state, reason });
const FAILURE = { path: ['systems', 0, 'open'], system: 'police', code: 'UPSTREAM_INVALID' };

describe("a system's own count", () => {
  test.each([
    ['CURRENT', null, '最新'],
    ['OLD', 'AWAITED', '旧数（正在更新）'],
    ['OLD', 'BREAKER', '旧数（多次无应答，暂停询问）'],
    ['OLD', 'UPSTREAM_UNAVAILABLE', '旧数（无应答）'],
    ['OLD', 'SOMETHING_NEW', '旧数（出错 SOMETHING_NEW）'],
    ['OLD', null, '旧数'],
    ['UNKNOWN', 'DEADLINE_EXCEEDED', '不明（应答超时）'],
    ['UNKNOWN', null, '不明'],
  ])('%s because of %s reads %s', (state, reason, expected) => {
    expect(describeCount(count(state, reason), undefined)).toBe(expected);
  });

  test('that is not known names who failed', () => {
    expect(describeCount(count('UNKNOWN', 'UPSTREAM_INVALID'), FAILURE)).toBe('不明（公安 应答无法识别）');
  });

  test.each([
    [-1, '0 秒前'],
    [59.9, '59 秒前'],
    [60, '1 分钟前'],
    [3_599, '59 分钟前'],
    [86_400, '24 小时前'],
  ])('of %d seconds ago is %s', (seconds, expected) => {
    expect(describeAge(seconds)).toBe(expected);
  });
});
