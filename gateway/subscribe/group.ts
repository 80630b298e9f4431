// All who get the same of every event: one source, one execution and one text an event, whatever their number.
import { HubError } from '@weft/core/errors';
import type { EventLog, LogEvent, LogGap, Position } from '@weft/events/event-log';
import type { BacklogBatch } from './backlog.ts';
import type { BoundField, Start } from './bound-field.ts';
import { type CatchUpGroup, catchUp } from './catch-up.ts';
import { Coalescer } from './coalescer.ts';
import { type ExecutionParts, executeEntry, lostPayload, type Running } from './group-execution.ts';
import type { FanOutLimits } from './limits.ts';
import type { SourceEntry, SourceGap } from './live-source.ts';
import type { Member, MemberGroup, MemberTally } from './member.ts';
import { type GroupPayload, runsOf } from './payload.ts';
import { PayloadMemo } from './payload-memo.ts';
import { Pipeline } from './pipeline.ts';
import { RecentPayloads } from './recent-payloads.ts';
import { type SnapshotParts, Snapshots } from './snapshots.ts';
import type { TopicLease } from './topic-reader.ts';
import type { Turns } from './turns.ts';

export interface GroupParts extends ExecutionParts, SnapshotParts {
  readonly log: EventLog;
  readonly limits: FanOutLimits;
  readonly tally: GroupTally;
  /** Of all groups. */
  readonly turns: Turns;
}

export interface GroupTally extends MemberTally {
  /** That passed the filter of a group. */
  events: number;
}

/** What a group reads, once it is open; `listen` begins it. */
export type GroupSource =
  | { readonly kind: 'topic'; readonly lease: TopicLease }
  | { readonly kind: 'other'; release(): void };

export class LiveGroup implements MemberGroup, CatchUpGroup {
  readonly limits: FanOutLimits;
  readonly tally: GroupTally;
  running: Running;
  readonly #parts: GroupParts;
  readonly #onClosed: () => void;
  readonly #members = new Set<Member>();
  readonly #live = new Set<Member>();
  readonly #pipeline: Pipeline;
  readonly #memo: PayloadMemo;
  #recent: RecentPayloads | undefined;
  #coalescer: Coalescer | undefined;
  #snapshots: Snapshots | undefined;
  #source: GroupSource | undefined;
  /** The last place that the source has handed over. */
  #head: Position | undefined;
  /** Who came before the source was open. */
  #early: { readonly member: Member; readonly start: Start }[] = [];
  /** Why nothing comes at the moment. */
  #ongoing: SourceGap | undefined;
  #isEnding = false;
  #isClosed = false;

  /** @param onClosed called once, when its last member has left */
  constructor(parts: GroupParts, running: Running, onClosed: () => void) {
    this.#parts = parts;
    this.#onClosed = onClosed;
    this.limits = parts.limits;
    this.tally = parts.tally;
    this.running = running;
    this.#memo = new PayloadMemo(parts.limits);
    this.#pipeline = new Pipeline({
      execute: (entry) => executeEntry(parts, this.running, entry),
      deliver: (payloads, number) => this.#deliver(payloads, number),
      atOnceMax: parts.limits.eventsAtOnceMax,
      pendingMax: parts.limits.pendingEventsMax,
    });
    this.#coalescer = this.#createCoalescer(running.field);
  }

  get size(): number {
    return this.#members.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isOpen(): boolean {
    return this.#source !== undefined;
  }

  get coalesces(): boolean {
    return this.#coalescer !== undefined;
  }

  /** The member is of this group from now on, and begins when the source is open. */
  enter(member: Member, start: Start): void {
    member.group = this;
    this.#members.add(member);
    if (this.#source === undefined) this.#early.push({ member, start });
    else this.#begin(member, start);
  }

  /** The source is open: whoever waits for it begins. */
  opened(source: GroupSource): void {
    if (this.#isClosed) {
      release(source);
      return;
    }
    // Of the graph before, where a new one asks another.
    if (this.#source !== undefined) release(this.#source);
    this.#source = source;
    if (source.kind === 'topic') {
      const { reader } = source.lease;
      this.#head = reader.position();
      this.#recent = new RecentPayloads(this.#parts.log.compare, this.limits, this.#head);
      const onEntry = (entry: LogEvent | LogGap) => this.take(entry);
      source.lease.listen({ onEntry, onEnd: (error) => this.end(error) });
    }
    for (const { member, start } of this.#early.splice(0))
      if (member.group === this) this.#begin(member, start);
  }

  /** One entry of the source. */
  take(entry: SourceEntry): void {
    if (this.#isEnding) return;
    if (entry.kind === 'event') this.#head = entry.position;
    if (entry.kind === 'gap') this.#head = entry.to;
    this.#ongoing = entry.kind === 'lost' && entry.isOngoing === true ? entry : undefined;
    try {
      if (entry.kind === 'event' && !this.accepts(entry)) return;
    } catch (thrown) {
      // Neither to deliver the event nor to drop it would be right.
      this.end(HubError.from(thrown));
      return;
    }
    this.tally.events += 1;
    if (this.#coalescer !== undefined && entry.kind === 'event') this.#coalescer.add(entry);
    else {
      this.#coalescer?.flush();
      this.#pipeline.push(entry);
    }
  }

  /** Ends all members, after what has come. */
  end(error: HubError | undefined): void {
    if (this.#isEnding) return;
    this.#coalescer?.flush();
    this.#isEnding = true;
    this.#pipeline.end(() => {
      for (const member of [...this.#members]) member.end(error);
    });
  }

  /** Puts the operation of a new graph in place: what comes from now on is made by it. */
  renew(running: Running): void {
    this.#coalescer?.flush();
    this.running = running;
    this.#coalescer = this.#createCoalescer(running.field);
    this.#memo.startAnew();
    this.#snapshots = undefined;
    if (this.#head !== undefined) this.#recent?.startAnew(this.#head);
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#leaveStream(member);
    if (this.#members.size > 0) return;
    this.#isClosed = true;
    this.#pipeline.stop();
    this.#coalescer?.stop();
    this.#snapshots = undefined;
    if (this.#source !== undefined) release(this.#source);
    this.#onClosed();
  }

  gapPayload(from: Position | undefined, to: Position | undefined): Promise<GroupPayload> {
    if (from === undefined || to === undefined) return Promise.resolve(lostPayload('SLOW_CONSUMER'));
    return executeEntry(this.#parts, this.running, { kind: 'gap', from, to, reason: 'SLOW_CONSUMER' });
  }

  accepts(entry: LogEvent | LogGap): boolean {
    return entry.kind === 'gap' || this.running.field?.accepts(entry.event.data) !== false;
  }

  subjectOf(entry: LogEvent): string | undefined {
    return this.coalesces ? this.running.field?.subjectOf(entry) : undefined;
  }

  requireReached(position: Position): Promise<void> | undefined {
    if (this.#source?.kind !== 'topic') throw noPlaces();
    const { log } = this.#parts;
    const { reader } = this.#source.lease;
    if (log.compare(position, reader.position()) <= 0) return undefined;
    const topic = this.running.field?.topic ?? '';
    return log.head(topic).then((head) => {
      if (log.compare(position, head) > 0) throw notReached();
    });
  }

  deliveredAfter(position: Position): readonly GroupPayload[] | undefined {
    return this.#recent?.reach(position) === true ? this.#recent.since(position) : undefined;
  }

  join(member: Member, position: Position, delivered: readonly GroupPayload[]): void {
    const wanted = this.coalesces ? latestOfEach(delivered) : delivered;
    for (const run of runsOf(wanted, this.limits.writtenTogetherCharsMax)) member.offer(run);
    if (member.group !== this) return;
    member.firstNumber = this.#pipeline.delivered;
    // What is still being executed may be older, and it may come from a gateway whose reader is ahead of this one's.
    member.skipTo = position;
    this.#enterStream(member);
  }

  nextTurn(): Promise<void> {
    return this.#parts.turns.next();
  }

  after(position: Position): BacklogBatch | Promise<BacklogBatch> {
    if (this.#source?.kind !== 'topic') throw noPlaces();
    return this.#source.lease.backlog.after(position);
  }

  payloadOf(entry: LogEvent | LogGap): Promise<GroupPayload> {
    const key = entry.kind === 'event' ? entry.position : `${entry.from} ${entry.to}`;
    return this.#memo.get(key, () => executeEntry(this.#parts, this.running, entry));
  }

  #begin(member: Member, start: Start): void {
    switch (start.kind) {
      case 'live':
        member.firstNumber = this.#pipeline.next;
        member.position = this.#head;
        if (this.#coalescer !== undefined) member.skipTo = this.#head;
        this.#enterStream(member);
        if (this.#ongoing !== undefined) member.offer([lostPayload(this.#ongoing.reason)]);
        return;
      case 'after':
        void catchUp(this, member, start.position);
        return;
      case 'snapshot':
        this.#snapshots ??= new Snapshots(this.#parts, this);
        void this.#snapshots.begin(member, this.#head);
        return;
      case 'bookmark':
        this.#snapshots ??= new Snapshots(this.#parts, this);
        void this.#snapshots.beginAtBookmark(member, this.#head);
        return;
      default:
        start satisfies never;
    }
  }

  #enterStream(member: Member): void {
    if (member.isLive) return;
    member.isLive = true;
    this.#live.add(member);
    this.tally.live += 1;
  }

  #leaveStream(member: Member): void {
    if (!member.isLive) return;
    member.isLive = false;
    this.#live.delete(member);
    this.tally.live -= 1;
  }

  #deliver(payloads: readonly GroupPayload[], firstNumber: number): void {
    for (const payload of payloads) this.#recent?.add(payload);
    let number = firstNumber;
    for (const run of runsOf(payloads, this.limits.writtenTogetherCharsMax)) {
      for (const member of this.#live) {
        const isForAll = number >= member.firstNumber && member.skipTo === undefined;
        const wanted = isForAll ? run : this.#wantedBy(member, run, number);
        if (wanted.length > 0) member.offer(wanted);
      }
      number += run.length;
    }
  }

  #wantedBy(member: Member, payloads: readonly GroupPayload[], firstNumber: number): readonly GroupPayload[] {
    return payloads.filter((payload, index) => {
      if (firstNumber + index < member.firstNumber) return false;
      return member.skipTo === undefined || !this.#skips(member, payload);
    });
  }

  #skips(member: Member, { position }: GroupPayload): boolean {
    const { skipTo } = member;
    if (position === undefined || skipTo === undefined) return false;
    if (this.#parts.log.compare(position, skipTo) <= 0) return true;
    member.skipTo = undefined;
    return false;
  }

  #createCoalescer(field: BoundField | undefined): Coalescer | undefined {
    if (field === undefined || field.intervalMs === 0) return undefined;
    return new Coalescer({
      intervalMs: field.intervalMs,
      subjectsMax: this.limits.coalescedSubjectsMax,
      subjectOf: (event) => field.subjectOf(event),
      forward: (event) => this.#pipeline.push(event),
    });
  }
}

function release(source: GroupSource): void {
  if (source.kind === 'topic') source.lease.release();
  else source.release();
}

function noPlaces(): HubError {
  return new HubError('INVALID_CURSOR', 'The field has no places to resume from.');
}

function notReached(): HubError {
  return new HubError(
    'INVALID_CURSOR',
    'The cursor is from another event log: this one has not come so far.',
  );
}

/** Those after which nothing about the same subject came; what is about nothing stays. */
function latestOfEach(payloads: readonly GroupPayload[]): readonly GroupPayload[] {
  const last = new Map(payloads.map((payload) => [payload.subject, payload] as const));
  return payloads.filter((payload) => payload.subject === undefined || last.get(payload.subject) === payload);
}
