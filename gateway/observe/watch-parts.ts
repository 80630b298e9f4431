// Counts what is in the parts of an answer as they pass, and lets the last of them tell what was seen inside.
import type { IncrementalExecution, SubsequentResult } from '../engine.ts';
import { noteResult, type OperationWatch } from './operation-watch.ts';

/**
 * Not a generator around a generator: one that was never begun would not hand on its `return()`.
 * @param finish makes the last part what is sent
 */
export function watchParts(
  watch: OperationWatch,
  { initial, subsequent }: IncrementalExecution,
  finish: (last: SubsequentResult) => SubsequentResult,
): IncrementalExecution {
  noteResult(watch, initial);
  const pass = (next: IteratorResult<SubsequentResult, void>): IteratorResult<SubsequentResult, void> => {
    if (next.done === true) return next;
    for (const result of next.value.incremental ?? []) noteResult(watch, result);
    return next.value.hasNext ? next : { done: false, value: finish(next.value) };
  };
  const watched: IncrementalExecution['subsequent'] = {
    next: async () => pass(await subsequent.next()),
    return: (value) => subsequent.return(value),
    throw: (thrown) => subsequent.throw(thrown),
    [Symbol.asyncIterator]: () => watched,
    [Symbol.asyncDispose]: async () => {
      await subsequent.return();
    },
  };
  return { initial, subsequent: watched };
}
