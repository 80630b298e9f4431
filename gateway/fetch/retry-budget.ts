// One system's budget of retries: a share of its calls, so that a system in trouble is never asked twice as much.

export interface RetryBudget {
  /** Told of every call, retries aside. */
  deposit(): void;
  /** Whether one retry may be sent; it is taken from the budget. */
  withdraw(): boolean;
}

/**
 * Every call earns `ratio` of a retry. It begins with `reserve` retries, so that the first calls may have theirs, and
 * keeps `retriesMax` at most, so that a long good time does not pay for a storm.
 * @see https://finagle.github.io/blog/2016/02/08/retry-budgets/
 */
export function createRetryBudget(options: {
  readonly ratio: number;
  readonly reserve: number;
  readonly retriesMax: number;
}): RetryBudget {
  let retries = Math.min(options.reserve, options.retriesMax);
  return {
    deposit() {
      retries = Math.min(retries + options.ratio, options.retriesMax);
    },
    withdraw() {
      if (retries < 1) return false;
      retries -= 1;
      return true;
    },
  };
}
