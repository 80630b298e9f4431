// Keeps a connection to a broker up until closed: one that ends is made again, after a wait that grows and is never the same.
import { delay } from '@weft/core/deadline';
import type { Link } from './lazy-link.ts';

const BACK_OFF_MS_MIN = 250;
const BACK_OFF_MS_MAX = 10_000;
/** A connection that lasted this long was a good one: the wait after it begins anew. */
const GOOD_AFTER_MS = 5_000;

export interface LinkWatch {
  up(): void;
  /** Told each time; `failures` is 1 for the first. */
  down(thrown: unknown, failures: number, waitMs: number): void;
}

/**
 * @param open makes a link; it gives up by itself after a while
 * @returns closes the link, once it is open, and makes no other
 */
export function keepLinked(
  open: (signal: AbortSignal) => Promise<Link>,
  watch: LinkWatch,
): { close(): Promise<void> } {
  const closing = new AbortController();
  const running = keepForEver(open, watch, closing.signal);
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

async function keepForEver(
  open: (signal: AbortSignal) => Promise<Link>,
  watch: LinkWatch,
  signal: AbortSignal,
): Promise<void> {
  const aborted = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  for (let failures = 0; !signal.aborted; ) {
    let openedAtMs = Number.POSITIVE_INFINITY;
    let why: unknown;
    try {
      const link = await open(signal);
      openedAtMs = performance.now();
      if (!signal.aborted) watch.up();
      why = await Promise.race([link.ended, aborted]);
      // Also one that ended is closed: what of it still runs comes to its end.
      await link.close();
    } catch (thrown) {
      why = thrown;
    }
    if (signal.aborted) return;
    failures = performance.now() - openedAtMs >= GOOD_AFTER_MS ? 1 : failures + 1;
    const waitMs = backOffMs(failures);
    watch.down(why, failures, waitMs);
    await delay(waitMs, signal).catch(() => undefined); // Aborted: the loop's condition ends it.
  }
}

/** Doubles with each failure up to 10 s; of that, half to all by chance, so that many do not come back at once. */
export function backOffMs(failures: number, chance: () => number = Math.random): number {
  const whole = Math.min(BACK_OFF_MS_MIN * 2 ** Math.min(failures - 1, 16), BACK_OFF_MS_MAX);
  return Math.round(whole * (0.5 + chance() / 2));
}
