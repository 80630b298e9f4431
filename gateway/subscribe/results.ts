// A live subscription as a stream of results that is pulled: what is not pulled waits in the member's queue.

import type { HubError } from '@weft/core/errors';
import type { ExecutionResult } from 'graphql';
import type { StopSignal } from '../stop-signal.ts';
import type { LivePayload, LiveSink, LiveSubscription } from './sink.ts';

type Results = AsyncGenerator<ExecutionResult, void, undefined>;
type Pull = PromiseWithResolvers<IteratorResult<ExecutionResult, void>>;

const DONE = Object.freeze({ done: true, value: undefined });

/** Begins at the first pull; ends when the signal aborts. Throws the HubError that the subscription ends with. */
export function createResults(open: (sink: LiveSink) => LiveSubscription, signal: StopSignal): Results {
  let subscription: LiveSubscription | undefined;
  let ended: { error: HubError | undefined } | undefined;
  const pulls: Pull[] = [];
  const told: LivePayload[] = [];
  const resultOf = (payload: LivePayload) =>
    JSON.parse(payload.json(subscription?.cursorMark ?? '')) as ExecutionResult;
  const finish = (error?: HubError) => {
    if (ended === undefined) signal.removeEventListener('abort', stop);
    ended ??= { error };
    for (const pull of pulls.splice(0)) settleEnd(pull, ended);
  };
  const stop = () => {
    subscription?.stop();
    told.splice(0);
    finish();
  };
  const sink: LiveSink = {
    next(payloads) {
      for (const payload of payloads) {
        const pull = pulls.shift();
        if (pull === undefined) told.push(payload);
        else pull.resolve({ done: false, value: resultOf(payload) });
      }
    },
    get bufferedBytes() {
      return pulls.length > 0 ? 0 : Number.POSITIVE_INFINITY;
    },
    end: finish,
  };
  const next = () => {
    const payload = told.shift();
    if (payload !== undefined) return Promise.resolve({ done: false as const, value: resultOf(payload) });
    const pull: Pull = Promise.withResolvers();
    if (ended !== undefined || signal.aborted) {
      settleEnd(pull, ended ?? { error: undefined });
      return pull.promise;
    }
    pulls.push(pull);
    if (subscription === undefined) {
      signal.addEventListener('abort', stop, { once: true });
      subscription = open(sink);
    } else subscription.drained();
    return pull.promise;
  };
  return {
    next,
    async return() {
      stop();
      return DONE;
    },
    async throw(thrown) {
      stop();
      throw thrown;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      stop();
    },
  };
}

/** An error is told once; then the stream is over. */
function settleEnd(pull: Pull, ended: { error: HubError | undefined }): void {
  const { error } = ended;
  ended.error = undefined;
  if (error === undefined) pull.resolve(DONE);
  else pull.reject(error);
}
