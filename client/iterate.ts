// A subscription as an asynchronous iterable: bounded, and without a loss when its consumer is slow.
import type { WeftError } from './ending.ts';
import type { Handlers, WeftEvent, WeftGap } from './subscription.ts';

/** What an iterator yields. */
export type WeftMessage<Value> =
  | ({ readonly kind: 'event' } & WeftEvent<Value>)
  | ({ readonly kind: 'gap' } & WeftGap);

interface Source {
  pause(): void;
  resume(): void;
  stop(): void;
}

/**
 * @param start begins with these handlers
 * @param eventsMax events that wait at the most: then the stream is left, and gone back to behind the last of them
 */
export function iterateSubscription<Value>(
  start: (handlers: Handlers<Value>) => Source,
  eventsMax: number,
): AsyncGenerator<WeftMessage<Value>, void, undefined> {
  const waiting: WeftMessage<Value>[] = [];
  let isOver = false;
  let failure: WeftError | undefined;
  let isPaused = false;
  let changed = Promise.withResolvers<void>();
  const tell = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const push = (message: WeftMessage<Value>) => {
    waiting.push(message);
    if (waiting.length >= eventsMax && !isPaused) {
      isPaused = true;
      source.pause();
    }
    tell();
  };
  const over = (error?: WeftError) => {
    isOver = true;
    failure = error;
    tell();
  };
  const source = start({
    next: (event) => push({ kind: 'event', ...event }),
    gap: (gap) => push({ kind: 'gap', ...gap }),
    error: over,
    complete: () => over(),
  });
  const messages = (async function* () {
    for (;;) {
      const message = waiting.shift();
      if (message !== undefined) {
        if (isPaused && waiting.length === 0) {
          isPaused = false;
          source.resume();
        }
        yield message;
      } else if (failure !== undefined) throw failure;
      else if (isOver) return;
      else await changed.promise;
    }
  })();
  return {
    next: () => messages.next(),
    // A plain generator would finish its present wait before it looked.
    return() {
      source.stop();
      over();
      waiting.length = 0;
      return messages.return();
    },
    throw(thrown) {
      source.stop();
      over();
      return messages.throw(thrown);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return();
    },
  };
}
