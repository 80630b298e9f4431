// How many events a consumer takes in one transaction: fewer when they always run into the time-out, more again later.

/** Time-outs in a row before fewer events are tried: one alone may be the store's bad moment. */
const TIME_OUTS_IN_A_ROW = 2;
/** Batches that must come through before twice as many events are tried again. */
const BATCHES_BEFORE_GROWTH = 10;

export interface BatchSize {
  /** Events in the next batch, at the most. */
  eventsMax(): number;
  /** A batch came through. @returns whether more events may be tried from now on */
  cameThrough(): boolean;
  /** A batch ran into the time-out; `stuck` when one event alone does so again and again. */
  timedOut(): 'same' | 'halved' | 'stuck';
}

/** @param eventsMax where it begins, and never goes above */
export function createBatchSize(eventsMax: number): BatchSize {
  let current = eventsMax;
  let timeOuts = 0;
  let batches = 0;
  return {
    eventsMax: () => current,
    cameThrough() {
      timeOuts = 0;
      batches += 1;
      if (current === eventsMax || batches < BATCHES_BEFORE_GROWTH) return false;
      batches = 0;
      current = Math.min(current * 2, eventsMax);
      return true;
    },
    timedOut() {
      batches = 0;
      timeOuts += 1;
      if (timeOuts < TIME_OUTS_IN_A_ROW) return 'same';
      if (current === 1) return 'stuck';
      timeOuts = 0;
      current = Math.floor(current / 2);
      return 'halved';
    },
  };
}
