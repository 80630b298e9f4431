import { describe, expect, it } from 'vitest';
import { spreadOf } from './statistics.ts';

describe('spreadOf', () => {
  it('takes the middle of an odd number of values, in whatever order they come', () => {
    expect(spreadOf([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
  });

  it('takes the mean of the two in the middle of an even number', () => {
    expect(spreadOf([1, 2, 4, 9])).toEqual({ median: 3, min: 1, max: 9 });
  });

  it('says NaN of nothing', () => {
    expect(spreadOf([])).toEqual({ median: Number.NaN, min: Number.NaN, max: Number.NaN });
  });
});
