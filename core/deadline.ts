// Deadlines as AbortSignals that add up from the caller to the last call it causes.

/**
 * A signal that aborts after `timeoutMs` or when `parent` does, whichever is first.
 * Its reason is a `TimeoutError` DOMException after the time-out, else the parent's reason.
 */
export function deadlineSignal(timeoutMs: number, parent?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return parent === undefined ? timeout : AbortSignal.any([parent, timeout]);
}

/** Resolves after `delayMs`; rejects at once with the signal's reason when it aborts. The timer does not keep the process alive when `unref` is set. */
export function delay(delayMs: number, signal?: AbortSignal, unref = false): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    if (unref) timer.unref();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
