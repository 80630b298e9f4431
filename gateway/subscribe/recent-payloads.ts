// The payloads that a group delivered last, without a gap between them: for those who come back a little behind.
import type { EventLog, Position } from '@weft/events/event-log';
import type { FanOutLimits } from './limits.ts';
import type { GroupPayload } from './payload.ts';

type Limits = Pick<FanOutLimits, 'recentPayloadsMax' | 'recentCharsMax'>;

export class RecentPayloads {
  readonly #compare: EventLog['compare'];
  readonly #limits: Limits;
  #payloads: GroupPayload[] = [];
  #chars = 0;
  #oldest: Position;

  /** @param oldest everything that is delivered lies beyond it */
  constructor(compare: EventLog['compare'], limits: Limits, oldest: Position) {
    this.#compare = compare;
    this.#limits = limits;
    this.#oldest = oldest;
  }

  /** Whether what came after a position is here, or still to be delivered. */
  reach(position: Position): boolean {
    return this.#compare(position, this.#oldest) >= 0;
  }

  add(payload: GroupPayload): void {
    const { position } = payload;
    // Delivered late, after everything was made anew.
    if (position === undefined || this.#compare(position, this.#oldest) <= 0) return;
    this.#payloads.push(payload);
    this.#chars += payload.length;
    const { recentPayloadsMax, recentCharsMax } = this.#limits;
    while (this.#payloads.length > recentPayloadsMax || this.#chars > recentCharsMax) {
      const dropped = this.#payloads.shift();
      if (dropped === undefined) return;
      this.#chars -= dropped.length;
      this.#oldest = dropped.position ?? this.#oldest;
    }
  }

  since(position: Position): readonly GroupPayload[] {
    const index = this.#payloads.findLastIndex(
      (payload) => payload.position !== undefined && this.#compare(payload.position, position) <= 0,
    );
    return this.#payloads.slice(index + 1);
  }

  /** Forgets all: what comes is made of something else. */
  startAnew(oldest: Position): void {
    this.#payloads = [];
    this.#chars = 0;
    this.#oldest = oldest;
  }
}
