// What tells an operation that nobody waits for it any more.

/**
 * As much of an AbortSignal as an operation needs, and an AbortSignal is one. Every request has one of its own: a controller, its
 * signal and their listeners cost as much as all else that is kept for a request.
 */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** A listener is called once at most. */
  addEventListener(type: 'abort', listener: StopListener, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: StopListener): void;
}

/** As an EventListener; what it is called with is not looked at. */
export type StopListener = (() => void) | { handleEvent(): void };

/** Aborts when it is told to; who listens is told once, in turn. */
export class StopSource implements StopSignal {
  aborted = false;
  reason: unknown;
  #listeners: StopListener[] = [];

  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) {
      if (typeof listener === 'function') listener();
      else listener.handleEvent();
    }
  }

  addEventListener(_type: 'abort', listener: StopListener): void {
    if (!this.aborted && !this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: StopListener): void {
    const index = this.#listeners.indexOf(listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }
}

/** For what takes nothing less than an AbortSignal. */
export function toAbortSignal(signal: StopSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  if (signal.aborted) return AbortSignal.abort(signal.reason);
  const controller = new AbortController();
  signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}
