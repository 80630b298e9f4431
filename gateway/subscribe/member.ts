// One subscription of one client: its place, and its queue while its transport is full.
import type { HubError } from '@weft/core/errors';
import type { Position } from '@weft/events/event-log';
import type { FanOutLimits } from './limits.ts';
import { MemberQueue } from './member-queue.ts';
import type { GroupPayload } from './payload.ts';
import type { LiveSink, LiveSubscription } from './sink.ts';

/** What a member needs of the group that it is in. */
export interface MemberGroup {
  readonly limits: FanOutLimits;
  /** Whether its source has answered. */
  readonly isOpen: boolean;
  /** Whether, of several payloads about one subject, the last is enough. */
  readonly coalesces: boolean;
  /** Made for one member that is too slow. */
  gapPayload(from: Position | undefined, to: Position | undefined): Promise<GroupPayload>;
  leave(member: Member): void;
  /** Counts, and knows who is slow. */
  readonly tally: MemberTally;
}

/** Of all members of a gateway's streams. */
export interface MemberTally {
  deliveries: number;
  slowGaps: number;
  /** Those that stand in their group's stream. */
  live: number;
  readonly slow: Set<Member>;
  onSlow(): void;
}

export class Member implements LiveSubscription {
  readonly cursorMark: string;
  readonly sink: LiveSink;
  group: MemberGroup | undefined;
  /** The last place that the sink has, or where it began. */
  position: Position | undefined;
  /** The first entry of the group's that it is for. */
  firstNumber = 0;
  /** Entries up to here it has already, though the group is still at work on them. */
  skipTo: Position | undefined;
  isLive = false;
  isStopped = false;
  /** It has not got the whole of the state that it began with. */
  isInSnapshot = false;
  /** Changes when it begins anew: whoever works for it under another number works in vain. */
  beginning = 0;
  #queue: MemberQueue | undefined;

  constructor(sink: LiveSink, cursorMark: string) {
    this.sink = sink;
    this.cursorMark = cursorMark;
  }

  get isEnded(): boolean {
    return this.group === undefined;
  }

  get isOpening(): boolean {
    return this.group?.isOpen === false;
  }

  get isSlow(): boolean {
    return this.#queue !== undefined;
  }

  /**
   * Never waits: what the transport does not take now waits in the queue.
   * @param payloads that are written together (`runsOf`), in order
   */
  offer(payloads: readonly GroupPayload[]): void {
    const { group } = this;
    if (group === undefined) return;
    if (this.#queue === undefined && this.sink.bufferedBytes <= group.limits.bufferedBytesMax) {
      this.#send(group, payloads);
      return;
    }
    if (this.#queue === undefined) {
      this.#queue = new MemberQueue(group.limits, group.coalesces);
      group.tally.slow.add(this);
      group.tally.onSlow();
    }
    for (const payload of payloads) this.#queue.push(payload, this.position);
  }

  drained(): void {
    const { group } = this;
    const queue = this.#queue;
    if (group === undefined || queue === undefined) return;
    queue.touch(this.sink.bufferedBytes);
    while (this.#queue === queue && this.sink.bufferedBytes <= group.limits.bufferedBytesMax) {
      const entry = queue.take();
      if (entry === undefined) {
        this.#leaveQueue(group);
        return;
      }
      if (!('from' in entry)) this.#send(group, entry);
      else {
        this.#tellGap(group, queue, entry.from, entry.to);
        return;
      }
    }
  }

  /** Resolves when nothing waits for it, or it has ended or begun anew. */
  untilDrained(): Promise<void> {
    return this.#queue?.untilEmpty() ?? Promise.resolve();
  }

  /** Whether its transport took nothing since the time-out began; to be asked now and then while it is slow. */
  isStuck(now: number): boolean {
    const { group } = this;
    const queue = this.#queue;
    if (group === undefined || queue === undefined) return false;
    queue.touch(this.sink.bufferedBytes, now);
    return now - queue.movedAtMs >= group.limits.slowClientTimeoutMs;
  }

  /** Tells what it did not get, whether or not the transport takes it, and ends. */
  async cutOff(error: HubError | undefined): Promise<void> {
    const { group } = this;
    const queue = this.#queue;
    if (group === undefined || queue === undefined) return;
    const to = queue.lastPosition;
    this.group = undefined;
    this.beginning += 1;
    group.leave(this);
    this.#dropQueue(group);
    group.tally.slowGaps += 1;
    const gap = await group.gapPayload(this.position, to);
    if (this.isStopped) return;
    this.isStopped = true;
    this.sink.next([gap]);
    this.sink.end(error);
  }

  /** What waits is dropped: it begins anew at `position`. */
  beginAnew(): number {
    if (this.group !== undefined) this.#dropQueue(this.group);
    this.skipTo = undefined;
    this.beginning += 1;
    return this.beginning;
  }

  end(error: HubError | undefined): void {
    if (this.group === undefined) return;
    if (this.#queue !== undefined) {
      // What waits will not be sent any more, and is not dropped without a word.
      void this.cutOff(error);
      return;
    }
    this.stop();
    this.sink.end(error);
  }

  /** Of one that came into no group. */
  endUnentered(error: HubError): void {
    if (!this.isStopped) this.sink.end(error);
    this.isStopped = true;
  }

  stop(): void {
    const { group } = this;
    this.isStopped = true;
    if (group === undefined) return;
    this.group = undefined;
    this.beginning += 1;
    group.leave(this);
    this.#dropQueue(group);
  }

  #send(group: MemberGroup, payloads: readonly GroupPayload[]): void {
    for (const { position } of payloads) if (position !== undefined) this.position = position;
    group.tally.deliveries += payloads.length;
    this.sink.next(payloads);
  }

  #tellGap(
    group: MemberGroup,
    queue: MemberQueue,
    from: Position | undefined,
    to: Position | undefined,
  ): void {
    group.tally.slowGaps += 1;
    void group.gapPayload(from, to).then((payload) => {
      if (this.#queue !== queue || this.group !== group) return;
      queue.told();
      this.#send(group, [payload]);
      this.drained();
    });
  }

  #leaveQueue(group: MemberGroup): void {
    const queue = this.#queue;
    if (queue === undefined || queue.isTelling) return;
    this.#dropQueue(group);
  }

  #dropQueue(group: MemberGroup): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    this.#queue = undefined;
    group.tally.slow.delete(this);
    queue.end();
  }
}
