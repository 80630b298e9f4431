// Tells who stays connected when the credentials behind a principal end or are taken back.
import type { Principal } from './principal.ts';

export interface Endings {
  /**
   * Calls `onEnd` once, when the principal's credentials end by time or do not hold any more. To call what is returned is
   * to want to hear no more.
   */
  watch(principal: Principal, onEnd: () => void): () => void;
  /** Ends those whose credentials do not hold any more. */
  review(): void;
  close(): void;
}

interface Watched {
  readonly principal: Principal;
  readonly onEnd: () => void;
  timer: NodeJS.Timeout | undefined;
}

/** The longest that a timer of Node's can wait. */
const TIMER_MS_MAX = 2_147_483_647;

/**
 * One timer for each watch of a principal that ends, none of which keeps the process alive.
 * @param holds whether the credentials would be accepted now, time aside
 */
export function createEndings(
  holds: (principal: Principal) => boolean,
  now: () => number = Date.now,
): Endings {
  const watches = new Set<Watched>();
  const stop = (watched: Watched) => {
    clearTimeout(watched.timer);
    watches.delete(watched);
  };
  const end = (watched: Watched) => {
    stop(watched);
    watched.onEnd();
  };
  const arm = (watched: Watched, expiresAtMs: number) => {
    const leftMs = expiresAtMs - now();
    if (leftMs <= 0) return end(watched);
    watched.timer = setTimeout(() => arm(watched, expiresAtMs), Math.min(leftMs, TIMER_MS_MAX)).unref();
  };
  return {
    watch(principal, onEnd) {
      if (!principal.isAuthenticated) return () => undefined;
      const watched: Watched = { principal, onEnd, timer: undefined };
      watches.add(watched);
      // They may have been taken back since they were looked at.
      if (!holds(principal)) end(watched);
      else if (principal.expiresAtMs !== undefined) arm(watched, principal.expiresAtMs);
      return () => stop(watched);
    },
    review() {
      for (const watched of [...watches]) if (!holds(watched.principal)) end(watched);
    },
    close() {
      for (const watched of [...watches]) stop(watched);
    },
  };
}
