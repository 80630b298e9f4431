// Remembers which nonces were used while their requests could still be taken, in bounded memory.

export interface SeenNonces {
  /** Whether it is the first time; false too when so old a request could have been seen and forgotten. */
  use(nonce: string, createdSeconds: number, nowSeconds: number): boolean;
  /** Nonces that are kept. */
  readonly size: number;
}

/**
 * @param windowSeconds a nonce is kept until its `created` is so long ago
 * @param noncesMax beyond it the oldest second is forgotten, and what was created in it or before is refused from then on
 */
export function createSeenNonces(windowSeconds: number, noncesMax: number): SeenNonces {
  /** By the second in which they were created. */
  const bySecond = new Map<number, Set<string>>();
  let size = 0;
  let forgottenUntil = Number.NEGATIVE_INFINITY;
  let sweptAt = Number.NEGATIVE_INFINITY;
  const forget = (second: number) => {
    size -= bySecond.get(second)?.size ?? 0;
    bySecond.delete(second);
    forgottenUntil = Math.max(forgottenUntil, second);
  };
  const sweep = (nowSeconds: number) => {
    // Once a second, whichever way the clock went.
    if (nowSeconds === sweptAt) return;
    sweptAt = nowSeconds;
    for (const second of bySecond.keys()) if (second < nowSeconds - windowSeconds) forget(second);
  };
  return {
    use(nonce, createdSeconds, nowSeconds) {
      sweep(nowSeconds);
      if (createdSeconds <= forgottenUntil) return false;
      const known = bySecond.get(createdSeconds) ?? new Set();
      if (known.has(nonce)) return false;
      if (known.size === 0) bySecond.set(createdSeconds, known);
      known.add(nonce);
      size += 1;
      if (size > noncesMax) forget(Math.min(...bySecond.keys()));
      return true;
    },
    get size() {
      return size;
    },
  };
}
