// One call's end before its time: the client's leaving or the deadline, whichever is first, for whatever the call does just then.
import type { StopSignal } from '../stop-signal.ts';
import { type Deadlines, deadlinesOf, type Waiter } from './deadlines.ts';

/** One object instead of an AbortController, a timer and a listener's closure: each fetch of each request makes one. */
export class Stopper implements Waiter {
  /** What is under way and must be broken off; set by whoever waits, and called at most once. */
  onStop: (() => void) | undefined;
  isStopped = false;
  readonly endsAtMs: number;
  readonly #signal: StopSignal;
  readonly #deadlines: Deadlines;

  constructor(signal: StopSignal, timeoutMs: number) {
    this.endsAtMs = performance.now() + timeoutMs;
    this.#signal = signal;
    this.#deadlines = deadlinesOf(timeoutMs);
    this.#deadlines.add(this);
    signal.addEventListener('abort', this);
  }

  /** As an EventListener of the signal. */
  handleEvent(): void {
    this.end();
  }

  end(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.onStop?.();
  }

  /** Must be called when the call ends, or the signal keeps what the call held. */
  free(): void {
    this.#deadlines.remove(this);
    this.#signal.removeEventListener('abort', this);
    this.onStop = undefined;
  }
}
