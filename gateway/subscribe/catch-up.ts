// Brings one subscriber from the place where it was to where its group is, no faster than it takes what it is given.
import { HubError } from '@weft/core/errors';
import type { LogEvent, LogGap, Position } from '@weft/events/event-log';
import type { BacklogBatch } from './backlog.ts';
import type { Member } from './member.ts';
import type { GroupPayload } from './payload.ts';

/** What a group offers to those who are behind. */
export interface CatchUpGroup {
  /** @throws HubError INVALID_CURSOR when the log has not come so far: the position is from another one */
  requireReached(position: Position): Promise<void> | undefined;
  /** What was delivered after the position; undefined when the group has not all of it. */
  deliveredAfter(position: Position): readonly GroupPayload[] | undefined;
  /** Lets it stand in the stream, with what was delivered after the position first. */
  join(member: Member, position: Position, delivered: readonly GroupPayload[]): void;
  after(position: Position): BacklogBatch | Promise<BacklogBatch>;
  /** Whether the entry is for the group. @throws when it cannot be judged */
  accepts(entry: LogEvent | LogGap): boolean;
  /** What the event is about, where of one subject the latest is enough; undefined: each counts. */
  subjectOf(entry: LogEvent): string | undefined;
  /** Never rejects. */
  payloadOf(entry: LogEvent | LogGap): Promise<GroupPayload>;
  readonly limits: {
    readonly eventsAtOnceMax: number;
    readonly queueEventsMax: number;
    readonly coalescedSubjectsMax: number;
  };
}

/** Never rejects: what goes wrong ends the member. */
export async function catchUp(group: CatchUpGroup, member: Member, after: Position): Promise<void> {
  const beginning = member.beginAnew();
  const isWanted = () => member.beginning === beginning;
  member.position = after;
  try {
    await group.requireReached(after);
    let position = after;
    const waiting = new Waiting(group);
    while (isWanted()) {
      await member.untilDrained();
      if (!isWanted()) return;
      const delivered = group.deliveredAfter(position);
      // It is executed now, and the group goes on meanwhile.
      if (delivered !== undefined && waiting.size > 0) {
        await deliver(group, member, waiting.takeAll(), isWanted);
        continue;
      }
      // Half a queue, so that there is room for what comes meanwhile.
      if (delivered !== undefined && delivered.length <= group.limits.queueEventsMax / 2)
        return group.join(member, position, delivered);
      if (delivered !== undefined) {
        position = await deliverAll(member, delivered, position, isWanted);
        continue;
      }
      const batch = await group.after(position);
      await deliver(group, member, waiting.add(batch.entries), isWanted);
      position = batch.end;
    }
  } catch (thrown) {
    if (isWanted()) member.end(HubError.from(thrown));
  }
}

/** @returns the place of the last one that was delivered */
async function deliverAll(
  member: Member,
  payloads: readonly GroupPayload[],
  after: Position,
  isWanted: () => boolean,
): Promise<Position> {
  let position = after;
  for (const payload of payloads) {
    member.offer(payload);
    position = payload.position ?? position;
    if (member.isSlow) await member.untilDrained();
    if (!isWanted()) break;
  }
  return position;
}

async function deliver(
  group: CatchUpGroup,
  member: Member,
  wanted: readonly (LogEvent | LogGap)[],
  isWanted: () => boolean,
): Promise<void> {
  const started: Promise<GroupPayload>[] = [];
  for (const [index] of wanted.entries()) {
    // Executed ahead, so that those of neighbouring events are fetched together.
    while (started.length < Math.min(wanted.length, index + group.limits.eventsAtOnceMax)) {
      const entry = wanted[started.length];
      if (entry === undefined) break;
      started.push(group.payloadOf(entry));
    }
    const payload = await started[index];
    if (!isWanted() || payload === undefined) return;
    member.offer(payload);
    if (member.isSlow) await member.untilDrained();
    if (!isWanted()) return;
  }
}

/** Of a group that coalesces the latest entry of each subject, until there is no more to read; else nothing waits. */
class Waiting {
  readonly #group: CatchUpGroup;
  readonly #latest = new Map<string, LogEvent>();

  constructor(group: CatchUpGroup) {
    this.#group = group;
  }

  get size(): number {
    return this.#latest.size;
  }

  /** @returns what is to be delivered at once, in the order of the log. @throws when an entry cannot be judged */
  add(entries: readonly (LogEvent | LogGap)[]): readonly (LogEvent | LogGap)[] {
    const ready: (LogEvent | LogGap)[] = [];
    for (const entry of entries) {
      if (!this.#group.accepts(entry)) continue;
      const subject = entry.kind === 'event' ? this.#group.subjectOf(entry) : undefined;
      if (entry.kind === 'event' && subject !== undefined) {
        // Last in the map, as its position is the last.
        this.#latest.delete(subject);
        this.#latest.set(subject, entry);
        if (this.#latest.size >= this.#group.limits.coalescedSubjectsMax) ready.push(...this.takeAll());
      } else ready.push(...this.takeAll(), entry);
    }
    return ready;
  }

  takeAll(): readonly LogEvent[] {
    const all = [...this.#latest.values()];
    this.#latest.clear();
    return all;
  }
}
