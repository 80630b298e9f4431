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
