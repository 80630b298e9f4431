// What waits for a subscriber whose transport is full: references to shared payloads, bounded, honest about what did not fit.
import type { Position } from '@weft/events/event-log';
import type { FanOutLimits } from './limits.ts';
import type { GroupPayload } from './payload.ts';

/** Payloads that the subscriber will not get, or not now. */
export interface MissedPayloads {
  readonly from: Position | undefined;
  to: Position | undefined;
}

type QueueLimits = Pick<FanOutLimits, 'queueEventsMax' | 'queueCharsMax' | 'writtenTogetherCharsMax'>;

export class MemberQueue {
  /** When the transport last took something. */
  movedAtMs = performance.now();
  /** Of the newest payload that came, whether or not it is kept. */
  lastPosition: Position | undefined;
  /** Whether a gap that was taken is not told yet. */
  isTelling = false;
  readonly #limits: QueueLimits;
  readonly #coalesces: boolean;
  #entries: (GroupPayload | MissedPayloads)[] = [];
  #chars = 0;
  #bufferedBytes = Number.POSITIVE_INFINITY;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(limits: QueueLimits, coalesces: boolean) {
    this.#limits = limits;
    this.#coalesces = coalesces;
  }

  /** @param position the place that the subscriber has, where nothing waits before the payload */
  push(payload: GroupPayload, position: Position | undefined): void {
    const before = this.lastPosition ?? position;
    this.lastPosition = payload.position ?? this.lastPosition;
    const last = this.#entries.at(-1);
    if (last !== undefined && !('json' in last)) {
      last.to = payload.position;
      return;
    }
    const { queueEventsMax, queueCharsMax } = this.#limits;
    const isFull = this.#entries.length >= queueEventsMax || this.#chars + payload.length > queueCharsMax;
    if (isFull && this.#coalesces) this.#dropOlder(payload);
    const fits =
      this.#entries.length < queueEventsMax &&
      (this.#entries.length === 0 || this.#chars + payload.length <= queueCharsMax);
    if (fits) {
      this.#entries.push(payload);
      this.#chars += payload.length;
    } else this.#entries.push({ from: before, to: payload.position });
  }

  /** What is written together, or a gap that is to be told. */
  take(): readonly GroupPayload[] | MissedPayloads | undefined {
    if (this.isTelling) return undefined;
    const [first] = this.#entries;
    if (first === undefined) return undefined;
    if (!('json' in first)) {
      this.#entries.shift();
      this.isTelling = true;
      return first;
    }
    const payloads: GroupPayload[] = [];
    let chars = 0;
    for (const entry of this.#entries) {
      if (!('json' in entry)) break;
      if (chars > 0 && chars + entry.length > this.#limits.writtenTogetherCharsMax) break;
      payloads.push(entry);
      chars += entry.length;
    }
    this.#entries.splice(0, payloads.length);
    this.#chars -= chars;
    return payloads;
  }

  told(): void {
    this.isTelling = false;
  }

  /** Notes whether the transport took something. */
  touch(bufferedBytes: number, now = performance.now()): void {
    if (bufferedBytes < this.#bufferedBytes) this.movedAtMs = now;
    this.#bufferedBytes = bufferedBytes;
  }

  untilEmpty(): Promise<void> {
    this.#empty ??= Promise.withResolvers();
    return this.#empty.promise;
  }

  end(): void {
    this.#entries = [];
    this.#empty?.resolve();
  }

  /** Of each subject the latest is enough: what waits about this one's, and is older, goes. */
  #dropOlder({ subject }: GroupPayload): void {
    if (subject === undefined) return;
    this.#entries = this.#entries.filter((entry) => {
      if (!('json' in entry) || entry.subject !== subject) return true;
      this.#chars -= entry.length;
      return false;
    });
  }
}
