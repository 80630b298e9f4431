// Bounds a call in time, and lets a caller who leaves go at once.

/**
 * Runs `work.execute` for `timeoutMs` at the most; its signal aborts then, with a `TimeoutError`, and when the caller's does, with the
 * caller's reason. Neither is waited for longer than that, whether or not the call minds its signal.
 * @throws what `execute` throws, or the signal's reason
 */
export function runWithin<T>(
  timeoutMs: number,
  caller: AbortSignal,
  work: { execute(signal: AbortSignal): Promise<T> },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const settle = () => {
      clearTimeout(timer);
      caller.removeEventListener('abort', leave);
    };
    const end = (reason: unknown) => {
      settle();
      controller.abort(reason);
      reject(reason);
    };
    const leave = () => end(caller.reason);
    const timer = setTimeout(
      () => end(new DOMException('The call took too long.', 'TimeoutError')),
      timeoutMs,
    );
    caller.addEventListener('abort', leave, { once: true });
    if (caller.aborted) leave();
    const fail = (reason: unknown) => {
      settle();
      reject(reason);
    };
    try {
      work.execute(controller.signal).then((value) => {
        settle();
        resolve(value);
      }, fail);
    } catch (thrown) {
      fail(thrown);
    }
  });
}
