// The events that a topic's reader passed last, without one missing between them: for those who are a little behind.
import type { EventLog, LogEvent, Position } from '@weft/events/event-log';
import type { FanOutLimits } from './limits.ts';

type Limits = Pick<FanOutLimits, 'recentEventsMax' | 'recentEventsCharsMax'>;

export class RecentEvents {
  /** Everything after this that was passed is here. */
  oldest: Position;
  readonly #compare: EventLog['compare'];
  readonly #limits: Limits;
  #events: LogEvent[] = [];
  #chars = 0;

  constructor(compare: EventLog['compare'], limits: Limits, oldest: Position) {
    this.#compare = compare;
    this.#limits = limits;
    this.oldest = oldest;
  }

  add(event: LogEvent): void {
    this.#events.push(event);
    this.#chars += event.chars;
  }

  /** Once a batch rather than once an event: what stands in front moves each time. */
  dropSurplus(): void {
    const { recentEventsMax, recentEventsCharsMax } = this.#limits;
    let count = 0;
    for (const event of this.#events) {
      const isWithin = this.#events.length - count <= recentEventsMax && this.#chars <= recentEventsCharsMax;
      if (isWithin) break;
      this.#chars -= event.chars;
      this.oldest = event.position;
      count += 1;
    }
    if (count > 0) this.#events.splice(0, count);
  }

  since(position: Position): readonly LogEvent[] {
    const index = this.#events.findLastIndex((event) => this.#compare(event.position, position) <= 0);
    return this.#events.slice(index + 1);
  }

  startAnew(oldest: Position): void {
    this.#events = [];
    this.#chars = 0;
    this.oldest = oldest;
  }
}
