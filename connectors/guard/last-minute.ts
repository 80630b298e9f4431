// Counts what happened in the last minute, by the second; it costs an addition.

const SECONDS = 60;

export interface LastMinute {
  add(): void;
  count(): number;
}

/** @param nowMs milliseconds of any clock that does not go back */
export function createLastMinute(nowMs: () => number = () => performance.now()): LastMinute {
  const counts = new Uint32Array(SECONDS);
  let second = Math.floor(nowMs() / 1_000);
  const forget = () => {
    const now = Math.floor(nowMs() / 1_000);
    if (now - second >= SECONDS) counts.fill(0);
    else for (let passed = second + 1; passed <= now; passed += 1) counts[passed % SECONDS] = 0;
    second = now;
  };
  return {
    add() {
      forget();
      const at = second % SECONDS;
      counts[at] = (counts[at] ?? 0) + 1;
    },
    count() {
      forget();
      return counts.reduce((sum, each) => sum + each, 0);
    },
  };
}
