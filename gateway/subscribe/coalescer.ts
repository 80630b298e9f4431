// Gathers the changes of an interval: of each subject the latest goes on, in the order of the log.
import type { LogEvent } from '@weft/events/event-log';

export interface CoalescerOptions {
  readonly intervalMs: number;
  /** Subjects that wait at the most: with one more the interval ends. */
  readonly subjectsMax: number;
  subjectOf(event: LogEvent): string;
  forward(event: LogEvent): void;
}

export class Coalescer {
  readonly #intervalMs: number;
  readonly #subjectsMax: number;
  readonly #subjectOf: (event: LogEvent) => string;
  readonly #forward: (event: LogEvent) => void;
  readonly #latest = new Map<string, LogEvent>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ intervalMs, subjectsMax, subjectOf, forward }: CoalescerOptions) {
    this.#intervalMs = intervalMs;
    this.#subjectsMax = subjectsMax;
    this.#subjectOf = subjectOf;
    this.#forward = forward;
  }

  add(event: LogEvent): void {
    // Last in the map, as its position is the last.
    const subject = this.#subjectOf(event);
    this.#latest.delete(subject);
    this.#latest.set(subject, event);
    if (this.#latest.size >= this.#subjectsMax) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#intervalMs).unref();
  }

  /** Before anything that must not overtake what waits. */
  flush(): void {
    this.stop();
    const events = [...this.#latest.values()];
    this.#latest.clear();
    for (const event of events) this.#forward(event);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
