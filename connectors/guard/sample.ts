// The outcomes of the calls of the last seconds, as a breaker counts them: telling one, and asking, cost the same however many there were.

export interface Sample {
  /** Notes one call, and forgets those that are too old. */
  add(isFailure: boolean, nowMs: number): void;
  clear(): void;
  /** Calls of the last `spanMs`, as of the last `add`. */
  readonly calls: number;
  readonly failures: number;
}

/** @param max calls that are remembered, the latest: a ratio over more says nothing else */
export function createSample(spanMs: number, max: number): Sample {
  // A ring: `first` is the oldest that counts.
  const times = new Float64Array(max);
  const failed = new Uint8Array(max);
  let [first, calls, failures] = [0, 0, 0];
  const forgetFirst = () => {
    failures -= failed[first] ?? 0;
    first = (first + 1) % max;
    calls -= 1;
  };
  return {
    add(isFailure, nowMs) {
      while (calls > 0 && (calls === max || nowMs - (times[first] ?? 0) >= spanMs)) forgetFirst();
      const at = (first + calls) % max;
      times[at] = nowMs;
      failed[at] = isFailure ? 1 : 0;
      failures += isFailure ? 1 : 0;
      calls += 1;
    },
    clear() {
      [first, calls, failures] = [0, 0, 0];
    },
    get calls() {
      return calls;
    },
    get failures() {
      return failures;
    },
  };
}
