// Counts how hard a simulated system is asked: the most requests within one second, and the most that it worked on at once.

export interface LoadMeter {
  /** A request came. */
  begin(): void;
  /** Its answer leaves, or will never. */
  end(): void;
  /** Since the start, or since the last `reset`. */
  read(): { readonly perSecondMax: number; readonly concurrentMax: number };
  reset(): void;
}

const SECOND_MS = 1_000;

export function openLoadMeter(now: () => number = () => performance.now()): LoadMeter {
  let recent: number[] = [];
  let concurrent = 0;
  let perSecondMax = 0;
  let concurrentMax = 0;
  return {
    begin() {
      const nowMs = now();
      recent = recent.filter((atMs) => nowMs - atMs < SECOND_MS);
      recent.push(nowMs);
      concurrent += 1;
      perSecondMax = Math.max(perSecondMax, recent.length);
      concurrentMax = Math.max(concurrentMax, concurrent);
    },
    end() {
      concurrent -= 1;
    },
    read: () => ({ perSecondMax, concurrentMax }),
    reset() {
      perSecondMax = 0;
      concurrentMax = 0;
    },
  };
}
