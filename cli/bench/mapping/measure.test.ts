import { describe, expect, test } from 'vitest';
import { MAPPING_CASES } from './cases.ts';
import { MAPPING_RATIO_MAX, measureMapping } from './measure.ts';

/** A machine that does other things widens every ratio; `weft bench mapping` holds the bar itself. */
const SLACK = 2;
const TURNS = 5;

describe('a mapping beside the function that somebody would write by hand', () => {
  test.each(MAPPING_CASES)('yields the same, in not much more time: $name', (each) => {
    expect(measureMapping(each, TURNS).ratio.median).toBeLessThan(MAPPING_RATIO_MAX * SLACK);
  });

  test('is compared before it is timed', () => {
    expect(() =>
      measureMapping({ name: 'x', mapping: 'a: b', byHand: () => ({ a: 2 }), input: { b: 1 } }, 1),
    ).toThrow(/yield different results/);
  });
});
