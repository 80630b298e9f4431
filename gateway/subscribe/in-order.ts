// Works on several queued entries at once and delivers the results in the entries' order.
import type { EventQueue, QueueEntry } from './event-queue.ts';

/**
 * Takes entries only as fast as results are consumed, `concurrencyMax` ahead. Ends when the queue has ended and is
 * empty, by throwing its error if it has one; ends at once, and without an error, when the signal aborts.
 * @param work must not reject
 */
export async function* deliverInOrder<Result>(
  queue: EventQueue,
  work: (entry: QueueEntry) => Promise<Result>,
  concurrencyMax: number,
  signal: AbortSignal,
): AsyncGenerator<Result, void, undefined> {
  const running: Slot<Result>[] = [];
  // A promise of its own for each wait: racing one that lives as long as the stream would keep every loser.
  let wake = Promise.withResolvers<void>();
  const poke = () => wake.resolve();
  queue.watch(poke);
  signal.addEventListener('abort', poke, { once: true });
  try {
    while (!signal.aborted) {
      wake = Promise.withResolvers();
      startMore(running, queue, work, concurrencyMax, poke);
      const [first] = running;
      if (first?.outcome !== undefined) {
        running.shift();
        yield first.outcome.result;
        continue;
      }
      if (first === undefined && queue.ended !== undefined) {
        if (queue.ended.error !== undefined) throw queue.ended.error;
        return;
      }
      await wake.promise;
    }
  } finally {
    signal.removeEventListener('abort', poke);
  }
}

interface Slot<Result> {
  outcome: { readonly result: Result } | undefined;
}

function startMore<Result>(
  running: Slot<Result>[],
  queue: EventQueue,
  work: (entry: QueueEntry) => Promise<Result>,
  concurrencyMax: number,
  poke: () => void,
): void {
  while (running.length < concurrencyMax) {
    const entry = queue.take();
    if (entry === undefined) return;
    const slot: Slot<Result> = { outcome: undefined };
    running.push(slot);
    void work(entry).then((result) => {
      slot.outcome = { result };
      poke();
    });
  }
}
