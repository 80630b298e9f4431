// Brings one subscriber from the place where it was to where its group is, no faster than it takes what it is given.
import { HubError } from '@weft/core/errors';
import type { LogEvent, LogGap, Position } from '@weft/events/event-log';
import type { BacklogBatch } from './backlog.ts';
import type { FanOutLimits } from './limits.ts';
import type { Member } from './member.ts';
import { type GroupPayload, runsOf } from './payload.ts';

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
  /** Resolves when it is a member's turn to be given more. */
  nextTurn(): Promise<void>;
  readonly limits: Pick<
    FanOutLimits,
    'eventsAtOnceMax' | 'queueEventsMax' | 'coalescedSubjectsMax' | 'writtenTogetherCharsMax'
  >;
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
      await group.nextTurn();
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
        position = await deliverAll(group, member, delivered, position, isWanted);
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
  group: CatchUpGroup,
  member: Member,
  payloads: readonly GroupPayload[],
  after: Position,
  isWanted: () => boolean,
): Promise<Position> {
  const { eventsAtOnceMax, writtenTogetherCharsMax } = group.limits;
  let position = after;
  for (let from = 0; from < payloads.length && isWanted(); from += eventsAtOnceMax) {
    const some = payloads.slice(from, from + eventsAtOnceMax);
    await offerAll(member, runsOf(some, writtenTogetherCharsMax), isWanted);
    if (isWanted())
      position = some.findLast((payload) => payload.position !== undefined)?.position ?? position;
    await group.nextTurn();
  }
  return position;
}

async function deliver(
  group: CatchUpGroup,
  member: Member,
  wanted: readonly (LogEvent | LogGap)[],
  isWanted: () => boolean,
): Promise<void> {
  const { eventsAtOnceMax, writtenTogetherCharsMax } = group.limits;
  // Executed ahead and together, so that those of neighbouring events are fetched together.
  const execute = (from: number) =>
    Promise.all(wanted.slice(from, from + eventsAtOnceMax).map((entry) => group.payloadOf(entry)));
  let ahead = execute(0);
  for (let from = 0; from < wanted.length && isWanted(); from += eventsAtOnceMax) {
    const payloads = await ahead;
    ahead = execute(from + eventsAtOnceMax);
    await offerAll(member, runsOf(payloads, writtenTogetherCharsMax), isWanted);
    await group.nextTurn();
  }
}

async function offerAll(
  member: Member,
  runs: readonly (readonly GroupPayload[])[],
  isWanted: () => boolean,
): Promise<void> {
  for (const run of runs) {
    if (!isWanted()) return;
    member.offer(run);
    if (member.isSlow) await member.untilDrained();
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
