// One call's end before its time: the client's leaving or the deadline, whichever is first, for whatever the call does just then.
import type { StopSignal } from '../stop-signal.ts';

/** One object instead of an AbortController, a timer's closure and a listener's closure: each fetch of each request makes one. */
export class Stopper {
  /** What is under way and must be broken off; set by whoever waits, and called at most once. */
  onStop: (() => void) | undefined;
  isStopped = false;
  readonly #signal: StopSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(signal: StopSignal, timeoutMs: number) {
    this.#signal = signal;
    this.#timer = setTimeout(stop, timeoutMs, this);
    signal.addEventListener('abort', this);
  }

  /** As an EventListener of the signal. */
  handleEvent(): void {
    stop(this);
  }

  /** Must be called when the call ends, or the signal keeps what the call held. */
  free(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this);
    this.onStop = undefined;
  }
}

function stop(stopper: Stopper): void {
  if (stopper.isStopped) return;
  stopper.isStopped = true;
  stopper.onStop?.();
}
