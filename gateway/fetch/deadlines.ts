// One timer for all that wait equally long, instead of one for each: the first to begin is the first to end.

/** What waits, with the time at which it ends. */
export interface Waiter {
  /** Of the clock that `performance.now` reads. */
  readonly endsAtMs: number;
  /** Called once, unless it was removed before. Must not throw. */
  end(): void;
}

export interface Deadlines {
  /** Those that are added later must not end earlier. */
  add(waiter: Waiter): void;
  remove(waiter: Waiter): void;
}

/** The few lengths that are waited for now, in ms. */
const byLength = new Map<number, Deadlines>();

/** @param timeoutMs how long each of them waits, from when it is added */
export function deadlinesOf(timeoutMs: number): Deadlines {
  return byLength.getOrInsertComputed(timeoutMs, () =>
    createDeadlines(timeoutMs, () => byLength.delete(timeoutMs)),
  );
}

/** @param onEmpty called when its timer finds nobody who waits; it may be used again all the same */
export function createDeadlines(timeoutMs: number, onEmpty: () => void = () => undefined): Deadlines {
  // In the order of coming. Most are removed long before their end: the timer is left as it is, and looks who is first then.
  const waiting = new Set<Waiter>();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    const now = performance.now();
    for (const waiter of waiting) {
      if (waiter.endsAtMs > now) {
        // One that came while another ended has begun the timer already.
        if (timer === undefined) arm(waiter.endsAtMs - now);
        return;
      }
      waiting.delete(waiter);
      waiter.end();
    }
    if (timer === undefined) onEmpty();
  };
  const arm = (delayMs: number) => {
    // What waits has a socket or a client that keeps the process alive as long as it is wanted.
    timer = setTimeout(look, Math.ceil(delayMs));
    timer.unref();
  };
  return {
    add(waiter) {
      waiting.add(waiter);
      if (timer === undefined) arm(timeoutMs);
    },
    remove: (waiter) => void waiting.delete(waiter),
  };
}
