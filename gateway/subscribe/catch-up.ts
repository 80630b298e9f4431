// Brings one subscriber from the place where it was to where its group is, no faster than it takes what it is given.
import { HubError } from '@weft/core/errors';
import type { LogEvent, LogGap, Position } from '@weft/events/event-log';
import type { Member } from './member.ts';
import type { GroupPayload } from './payload.ts';
import type { BacklogBatch } from './backlog.ts';

/** What a group offers to those who are behind. */
export interface CatchUpGroup {
  /** @throws HubError INVALID_CURSOR when the log has not come so far: the position is from another one */
  requireReached(position: Position): Promise<void> | undefined;
  /** Lets it stand in the stream, with what came after the position, if the group has that. */
  join(member: Member, position: Position): boolean;
  after(position: Position): BacklogBatch | Promise<BacklogBatch>;
  /** Whether the entry is for the group. @throws when it cannot be judged */
  accepts(entry: LogEvent | LogGap): boolean;
  /** Never rejects. */
  payloadOf(entry: LogEvent | LogGap): Promise<GroupPayload>;
  readonly limits: { readonly eventsAtOnceMax: number };
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
      if (!isWanted() || group.join(member, position)) return;
      const batch = await group.after(position);
      await deliver(group, member, batch.entries, isWanted);
      position = batch.end;
    }
  } catch (thrown) {
    if (isWanted()) member.end(HubError.from(thrown));
  }
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
