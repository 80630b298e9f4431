import { describe, expect, it } from 'vitest';
import { medianInterval, quartilesOf, spreadOf } from './statistics.ts';

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

describe('quartilesOf', () => {
  it('takes what half of the values lie between, in whatever order they come', () => {
    expect(quartilesOf([5, 1, 4, 2, 3])).toEqual({ least: 1, lower: 2, median: 3, upper: 4 });
  });

  it('takes what lies between two values by its share', () => {
    expect(quartilesOf([1, 2, 3, 4])).toEqual({ least: 1, lower: 1.75, median: 2.5, upper: 3.25 });
  });

  it('says NaN of nothing', () => {
    expect(quartilesOf([]).median).toBeNaN();
  });
});

describe('medianInterval', () => {
  const spread = (around: number) => Array.from({ length: 20 }, (_, index) => around + (index - 9.5) / 100);

  it('holds the median, and is the same for the same values', () => {
    const groups = [spread(1), spread(1), spread(1)];
    const [low, high] = medianInterval(groups);
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(1);
    expect(high - low).toBeLessThan(0.2);
    expect(medianInterval(groups)).toEqual([low, high]);
  });

  it('is wider when groups differ than when their values are mixed', () => {
    const [low, high] = medianInterval([spread(1), spread(2), spread(3)]);
    expect(high - low).toBeGreaterThan(1);
  });

  it('says NaN of nothing', () => {
    expect(medianInterval([])).toEqual([Number.NaN, Number.NaN]);
  });
});
