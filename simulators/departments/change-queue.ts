// Tells a department's changes until each is taken, those of one piece of work in their order.
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultSwitches } from '../faults.ts';
import type { PendingChange, WorkBooks } from './work-books.ts';

export interface ChangeQueueOptions {
  readonly books: WorkBooks;
  readonly switches: FaultSwitches;
  /** Resolves with whether it was taken; never rejects. */
  readonly deliver: (change: PendingChange) => Promise<boolean>;
}

export interface ChangeQueue {
  /** Tells that the queue has grown. */
  wake(): void;
  /** Waits for the delivery in flight; what is not written down is told again at the next start. */
  close(): Promise<void>;
}

/** Pieces of work whose changes are told at once. */
const IN_FLIGHT_MAX = 4;
const LOADED_MAX = 100;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;
/** After so many failures in a row a round is given up: the receiver is away. */
const FAILURES_MAX = 3;
/** With the out-of-order switch on: how long changes are gathered to be told newest first. */
const GATHER_MS = 400;

export function startChangeQueue({ books, switches, deliver }: ChangeQueueOptions): ChangeQueue {
  const closing = new AbortController();
  let hasGrown = true;
  let wakeUp = () => {};

  /** Once through what is pending; whether all of it was taken. */
  const tellAll = async (): Promise<boolean> => {
    if (switches.current.outOfOrder) await delay(GATHER_MS, undefined, { signal: closing.signal });
    const pending = books.readPending(LOADED_MAX);
    const lanes = switches.current.outOfOrder
      ? [pending.toReversed()]
      : [...Map.groupBy(pending, ({ work }) => work.no).values()];
    const refused = new Set<string>();
    let failures = 0;
    const tellLanes = async () => {
      for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
        for (const change of lane) {
          if (closing.signal.aborted || failures >= FAILURES_MAX) return;
          if (refused.has(change.work.no)) continue;
          const isTaken = await deliver(change);
          if (isTaken && switches.current.duplicate) await deliver(change);
          if (isTaken) books.markTold(change.id);
          else refused.add(change.work.no);
          failures = isTaken ? 0 : failures + 1;
        }
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, tellLanes));
    hasGrown ||= pending.length === LOADED_MAX;
    return refused.size === 0 && lanes.length === 0 && !closing.signal.aborted;
  };
  const run = async () => {
    let waitMs = RETRY_MS_MIN;
    while (!closing.signal.aborted) {
      if (hasGrown) {
        hasGrown = false;
        if (await tellAll()) {
          waitMs = RETRY_MS_MIN;
          continue;
        }
        hasGrown = true;
        await delay(waitMs, undefined, { signal: closing.signal });
        waitMs = Math.min(waitMs * 2, RETRY_MS_MAX);
      } else {
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
      }
    }
  };
  // Only an aborted wait rejects, and that is the end.
  const running = run().catch((thrown: unknown) => {
    if (!closing.signal.aborted) throw thrown;
  });
  return {
    wake() {
      hasGrown = true;
      wakeUp();
    },
    async close() {
      closing.abort();
      wakeUp();
      await running;
    },
  };
}
