import type { EventLog, LogEvent, Position } from '@weft/events/event-log';
import { describe, expect, it } from 'vitest';
import { Backlog } from './backlog.ts';
import { FAN_OUT_LIMITS } from './limits.ts';
import type { TopicReader } from './topic-reader.ts';

/** A log whose positions are numbers, and a reader that has passed some of them. */
function openBacklog() {
  const positions: number[] = [];
  const reader = { oldest: 100, position: 100 };
  const reads: Position[] = [];
  const log = {
    compare: (left: Position, right: Position) => Number(left) - Number(right),
    async *read(_topic: string, { after = '0', upTo = '0' }: { after?: Position; upTo?: Position }) {
      reads.push(after);
      const found = positions.filter((position) => position > Number(after) && position <= Number(upTo));
      if (found.length > 0) yield found.map((position) => eventAt(position));
    },
  };
  const fake = {
    oldest: () => String(reader.oldest),
    position: () => String(reader.position),
    since: () => [],
  };
  const { signal } = new AbortController();
  const backlog = new Backlog(
    log as unknown as EventLog,
    'a',
    fake as unknown as TopicReader,
    FAN_OUT_LIMITS,
    signal,
  );
  const after = async (position: number) => {
    const { entries, end } = await backlog.after(String(position));
    return { positions: entries.map((entry) => Number((entry as LogEvent).position)), end: Number(end) };
  };
  return { positions, reader, reads, after };
}

function eventAt(position: number): LogEvent {
  return { kind: 'event', position: String(position), event: {} as LogEvent['event'], chars: 1 };
}

describe('what a reader has passed', () => {
  it('is read once for all who are at one place, and for those who are within it', async () => {
    const { positions, reads, after } = openBacklog();
    positions.push(10, 20, 30);
    const [one, other] = await Promise.all([after(5), after(5)]);
    expect(one).toEqual({ positions: [10, 20, 30], end: 30 });
    expect(other).toEqual(one);
    expect(await after(5)).toEqual(one);
    expect(await after(10)).toEqual({ positions: [20, 30], end: 30 });
    expect(reads).toEqual(['5']);
    expect(await after(30)).toEqual({ positions: [], end: 100 });
    expect(reads).toEqual(['5', '30']);
  });

  it('is read again by whoever was told that nothing is behind a place', async () => {
    const { positions, reader, after } = openBacklog();
    reader.position = 50;
    expect(await after(50)).toEqual({ positions: [], end: 50 });
    positions.push(60);
    reader.position = 70;
    expect(await after(50)).toEqual({ positions: [60], end: 60 });
  });
});
