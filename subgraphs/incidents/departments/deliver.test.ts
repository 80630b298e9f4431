import { expect, test } from 'vitest';
import { isTold } from './deliver.ts';

test.each([
  [null, 'PENDING', true],
  [null, 'APPLIED', true],
  ['PENDING', 'SENT', false],
  ['SENT', 'PENDING', false],
  ['PENDING', 'APPLIED', true],
  ['SENT', 'UNKNOWN', true],
  ['UNKNOWN', 'PENDING', true],
  ['UNKNOWN', 'APPLIED', true],
  ['DEAD', 'PENDING', true],
  ['APPLIED', 'APPLIED', false],
] as const)('from %s to %s is a step: %s', (before, now, expected) => {
  expect(isTold(before, now)).toBe(expected);
});
