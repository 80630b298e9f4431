// An asynchronous generator that ends at once when its consumer goes away, whatever it is waiting for.

/**
 * Wraps a generator whose waits end when its signal aborts. `return()` aborts that signal first: a plain generator would
 * finish its present wait before it looked.
 * @param parent aborts the generator too, when given
 */
export function cancellable<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
  parent?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const own = new AbortController();
  const inner = start(parent === undefined ? own.signal : AbortSignal.any([parent, own.signal]));
  return {
    next: () => inner.next(),
    return() {
      own.abort();
      return inner.return();
    },
    throw(thrown) {
      own.abort();
      return inner.throw(thrown);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      own.abort();
      await inner.return();
    },
  };
}
