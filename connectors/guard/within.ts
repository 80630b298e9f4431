// Bounds a call in time, and lets a caller who leaves go at once.

/**
 * Runs `execute` for `timeoutMs` at the most; its signal aborts then, with a `TimeoutError`, and when the caller's does, with the
 * caller's reason. Neither is waited for longer than that, whether or not the call minds its signal.
 * @throws what `execute` throws, or the signal's reason
 */
export async function runWithin<T>(
  timeoutMs: number,
  caller: AbortSignal,
  execute: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    controller.abort(reason);
    reject(reason);
  };
  const leave = () => end(caller.reason);
  const timer = setTimeout(() => end(new DOMException('The call took too long.', 'TimeoutError')), timeoutMs);
  caller.addEventListener('abort', leave, { once: true });
  if (caller.aborted) leave();
  try {
    const work = execute(controller.signal);
    // After the race nobody waits for it.
    work.catch(() => undefined);
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    caller.removeEventListener('abort', leave);
    promise.catch(() => undefined);
  }
}
