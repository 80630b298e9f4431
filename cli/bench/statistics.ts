// Medians and spread of a few repetitions.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of an even number of values the median is the mean of the two in the middle; of none, everything is NaN. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  const low = sorted[Math.floor(last / 2)] ?? Number.NaN;
  const high = sorted[Math.ceil(last / 2)] ?? Number.NaN;
  return { median: (low + high) / 2, min: sorted[0] ?? Number.NaN, max: sorted[last] ?? Number.NaN };
}

export interface Quartiles {
  readonly least: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** For many values, of which a few say nothing: half of them lie between the two quartiles. Of none, everything is NaN. */
export function quartilesOf(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
    return low + (high - low) * (place - Math.floor(place));
  };
  return { least: at(0), lower: at(0.25), median: at(0.5), upper: at(0.75) };
}

const RESAMPLES = 1_000;
const CONFIDENCE = 0.95;

/**
 * Between what the median of all values is with 95 % confidence: resampled by group, and within each group, since values of one
 * group are more alike than those of two. The numbers by which it draws are always the same: equal values have equal intervals.
 * @see https://doi.org/10.1017/CBO9780511802843 section 3.8, hierarchical data
 */
export function medianInterval(groups: readonly (readonly number[])[]): readonly [number, number] {
  const draw = createDraw();
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(draw() * from.length)] as Value;
  const medians = Array.from({ length: RESAMPLES }, () => {
    const values = groups.flatMap(() => {
      const group = pick(groups);
      return group.map(() => pick(group));
    });
    return quartilesOf(values).median;
  }).sort((one, other) => one - other);
  const at = (share: number) => medians[Math.round(share * (RESAMPLES - 1))] ?? Number.NaN;
  return [at((1 - CONFIDENCE) / 2), at((1 + CONFIDENCE) / 2)];
}

/** Numbers from 0 to 1 that look drawn (mulberry32). */
function createDraw(): () => number {
  let state = 0x5eed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
