// How long to wait before the next try: longer each time, bounded, and half of it by chance.
import type { ClientLimits } from './limits.ts';

/**
 * @param attempts tries that have failed since the last good connection; at 0 there is no wait
 * @returns milliseconds. By chance in its upper half: those who lost one gateway must not come to the next in one instant
 */
export function backOffMs(
  attempts: number,
  { backOffMsMin, backOffMsMax }: Pick<ClientLimits, 'backOffMsMin' | 'backOffMsMax'>,
  random: () => number = Math.random,
): number {
  if (attempts === 0) return 0;
  const ceilingMs = Math.min(backOffMsMax, backOffMsMin * 2 ** Math.min(attempts - 1, 30));
  return ceilingMs / 2 + (random() * ceilingMs) / 2;
}

/** Resolves after the time, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
