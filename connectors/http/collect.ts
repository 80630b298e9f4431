// Reads one whole answer off a dispatcher, without a stream between: at most so many bytes, and gone when its signal says so.
import type { Dispatcher } from 'undici';

/** How an exchange ended. `cut`: after the head of the answer; `unanswered`: before. */
export type Collected =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: AnswerHeaders;
      readonly body: Buffer;
    }
  | { readonly kind: 'tooLarge'; readonly status: number }
  | { readonly kind: 'cut'; readonly status: number; readonly cause: unknown }
  | { readonly kind: 'unanswered'; readonly cause: unknown };

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Sends a request and gathers the answer's body. An answer that is too large, and one that nobody waits for any longer, closes its connection.
 * Never rejects: a signal that aborts is told like a failure, `cut` or `unanswered`.
 */
export function collect(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
  bytesMax: number,
): Promise<Collected> {
  return new Promise((resolve) => {
    const collector = new Collector(signal, bytesMax, resolve);
    if (!signal.aborted) dispatcher.dispatch(options, collector);
    else collector.leave();
  });
}

class Collector implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal;
  readonly #bytesMax: number;
  readonly #resolve: (collected: Collected) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the answer; 0 before its head. */
  #status = 0;
  #headers: AnswerHeaders = {};
  #controller: Dispatcher.DispatchController | undefined;
  #isSettled = false;

  constructor(signal: AbortSignal, bytesMax: number, resolve: (collected: Collected) => void) {
    this.#signal = signal;
    this.#bytesMax = bytesMax;
    this.#resolve = resolve;
    signal.addEventListener('abort', this.leave, { once: true });
  }

  /** Nobody waits any longer. A request that waits for a connection goes when it would begin. */
  readonly leave = (): void => {
    this.#fail(this.#signal.reason);
    this.#controller?.abort(this.#signal.reason);
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(this.#signal.reason);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // What goes before an answer: https://www.rfc-editor.org/rfc/rfc9110#section-15.2
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#bytesMax) {
      this.#chunks.push(chunk);
      return;
    }
    this.#settle({ kind: 'tooLarge', status: this.#status });
    controller.abort(new RangeError(`the answer is longer than ${this.#bytesMax} bytes`));
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const body =
      first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#settle({ kind: 'answer', status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: Error): void {
    this.#fail(cause);
  }

  #fail(cause: unknown): void {
    this.#settle(
      this.#status === 0 ? { kind: 'unanswered', cause } : { kind: 'cut', status: this.#status, cause },
    );
  }

  #settle(collected: Collected): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#signal.removeEventListener('abort', this.leave);
    this.#resolve(collected);
  }
}
