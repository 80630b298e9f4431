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
  /** Never rejects. */
  payloadOf(entry: LogEvent | LogGap): Promise<GroupPayload>;
  readonly limits: { readonly eventsAtOnceMax: number; readonly queueEventsMax: number };
}

/** Never rejects: what goes wrong ends the member. */
export async function catchUp(group: CatchUpGroup, member: Member, after: Position): Promise<void> {
  const beginning = member.beginAnew();
  const isWanted = () => member.beginning === beginning;
  member.position = after;
  try {
    await group.requireReached(after);
    let position = after;
    while (isWanted()) {
      await member.untilDrained();
      if (!isWanted()) return;
      const delivered = group.deliveredAfter(position);
      // Half a queue, so that there is room for what comes meanwhile.
      if (delivered !== undefined && delivered.length <= group.limits.queueEventsMax / 2)
        return group.join(member, position, delivered);
      if (delivered !== undefined) {
        position = await deliverAll(member, delivered, position, isWanted);
        continue;
      }
      const batch = await group.after(position);
      await deliver(group, member, batch.entries, isWanted);
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
  entries: readonly (LogEvent | LogGap)[],
  isWanted: () => boolean,
): Promise<void> {
  const wanted = entries.filter((entry) => group.accepts(entry));
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
