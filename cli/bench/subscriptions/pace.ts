// Emits events at a steady rate, and catches up after a pause rather than losing any.
import { delay } from '@weft/core/deadline';

/** What a source is asked to emit. */
export interface Emission {
  /** Number of the first event. */
  readonly firstSeq: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  /** Divisions that the events go round. */
  readonly groups: number;
}

/**
 * Emits event after event, each at its time or, where the one before took longer, at once.
 * @param emit is told how late it is called, in milliseconds
 */
export async function emitSteadily(
  { firstSeq, events, eventsPerSecond }: Emission,
  emit: (seq: number, lateMs: number) => void | Promise<void>,
): Promise<void> {
  const begin = performance.now();
  for (let n = 0; n < events; n++) {
    const dueMs = begin + (n * 1_000) / eventsPerSecond;
    const leftMs = dueMs - performance.now();
    if (leftMs > 0) await delay(leftMs);
    await emit(firstSeq + n, Math.max(0, performance.now() - dueMs));
  }
}
