// What is announced when a transaction that brought events commits: its topic, and with a single event the event itself.
import type { LogEvent, Position } from '../event-log.ts';
import { toLogEvent } from './batch.ts';
import { comparePositions } from './position.ts';

/** An event, and the position of the topic's event before it: nothing can come between the two any more. */
export interface Told {
  readonly previous: Position;
  readonly position: Position;
  /** JSON of a CloudEvent, as it was appended. */
  readonly envelope: string;
}

export interface Announcement {
  readonly topic: string;
  /** Absent where several came at once, or one that is too long, or while an earlier transaction was open: then read. */
  readonly told?: Told;
}

const WITH_EVENT = /^([^\n]+)\n(\d+\.\d+) (\d+\.\d+)\n/;

/** @param payload as `append` gives it to `pg_notify`: the topic, or the topic, two positions and an envelope on lines of their own */
export function parseAnnouncement(payload: string): Announcement {
  const match = WITH_EVENT.exec(payload);
  const [head, topic, previous, position] = match ?? [];
  if (head === undefined || topic === undefined || previous === undefined || position === undefined)
    return { topic: payload };
  return { topic, told: { previous, position, envelope: payload.slice(head.length) } };
}

/** The events that follow a position one upon the other; undefined where one of them does not, or there are more than `eventsMax`. */
export function followOn(
  told: readonly Told[],
  after: Position,
  eventsMax: number,
): readonly LogEvent[] | undefined {
  // What was read meanwhile is announced all the same.
  const ahead = told.filter(({ position }) => comparePositions(position, after) > 0);
  if (ahead.length > eventsMax) return undefined;
  let last = after;
  for (const { previous, position } of ahead) {
    if (previous !== last) return undefined;
    last = position;
  }
  return ahead.map(({ position, envelope }) => toLogEvent(position, envelope));
}
