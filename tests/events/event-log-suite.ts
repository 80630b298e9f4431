// The laws of every engine of the event log, run on each against its real server.
import type { CloudEvent } from '@weft/events/envelope';
import {
  type EventAppender,
  type EventLog,
  type LogEvent,
  type LogGap,
  type Position,
  type SqlTransaction,
  START,
} from '@weft/events/event-log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface LogUnderTest {
  readonly log: EventLog;
  readonly appender: EventAppender;
  /** A transaction that is open until one of its ends is called. */
  begin(): Promise<{ transaction: SqlTransaction; commit(): Promise<void>; rollback(): Promise<void> }>;
  close(): Promise<void>;
}

const DEADLINE_MS = 15_000;
/** How long a reader is watched that must yield nothing. */
const ABSENT_MS = 300;

export function makeEvent(id: string, data: CloudEvent['data'] = {}): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source: '/systems/test',
    type: 'dev.weft.test.happened',
    subject: `Test:${id}`,
    time: '2026-11-22T08:00:00+08:00',
    datacontenttype: 'application/json',
    data,
  };
}

/** Reads until `count` entries came; fails when they do not come in time. */
export async function readEntries(
  log: EventLog,
  topic: string,
  after: Position,
  count: number,
  batchEventsMax = 500,
): Promise<(LogEvent | LogGap)[]> {
  const entries: (LogEvent | LogGap)[] = [];
  const signal = AbortSignal.timeout(DEADLINE_MS);
  for await (const batch of log.read(topic, { after, signal, batchEventsMax })) {
    expect(batch.length).toBeGreaterThan(0);
    entries.push(...batch);
    if (entries.length >= count) return entries;
  }
  throw new Error(`expected ${count} entries in ${DEADLINE_MS} ms, got ${entries.length}`);
}

export const idsOf = (entries: readonly (LogEvent | LogGap)[]): string[] =>
  entries.map((entry) => (entry.kind === 'event' ? entry.event.id : 'gap'));

export function eventLogSuite(name: string, start: () => Promise<LogUnderTest>): void {
  describe(`event log on ${name}`, () => {
    let under: LogUnderTest;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under?.close());

    const append = async (topic: string, ...ids: string[]): Promise<number> => {
      const { transaction, commit } = await under.begin();
      const added = await under.appender.append(
        transaction,
        topic,
        ids.map((id) => makeEvent(`${topic}-${id}`)),
      );
      await commit();
      return added;
    };
    const named = (topic: string, ids: readonly string[]) => ids.map((id) => `${topic}-${id}`);
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

    it('yields events in the order in which they were appended, across batches', async () => {
      await append('order', ...numbers(25));
      await append('order', 'a', 'b');
      const entries = await readEntries(under.log, 'order', START, 27, 10);
      expect(idsOf(entries)).toEqual(named('order', [...numbers(25), 'a', 'b']));
    });

    it('keeps every part of the envelope, whatever characters are in it', async () => {
      const data = {
        text: '\u0000 \ud83d\ude00 经纬 "\\',
        list: [1, 2.5, null, true],
        nested: { z: 1, a: '' },
      };
      const event: CloudEvent = {
        ...makeEvent('envelope-1', data),
        sequence: '0000000007',
        partitionkey: '320508',
        traceparent: '00-ab-cd-01',
      };
      const { transaction, commit } = await under.begin();
      await under.appender.append(transaction, 'envelope', [event]);
      await commit();
      const [entry] = await readEntries(under.log, 'envelope', START, 1);
      expect(entry).toMatchObject({ kind: 'event', event });
    });

    it('appends an event once, however often it is told', async () => {
      expect(await append('dedupe', '1', '2')).toBe(2);
      expect(await append('dedupe', '2', '1')).toBe(0);
      expect(await append('dedupe', '3', '3', '1')).toBe(1);
      await append('dedupe', 'last');
      expect(idsOf(await readEntries(under.log, 'dedupe', START, 4))).toEqual(
        named('dedupe', ['1', '2', '3', 'last']),
      );
    });

    it('keeps topics apart', async () => {
      await append('apart-a', '1');
      await append('apart-b', '1');
      expect(idsOf(await readEntries(under.log, 'apart-b', START, 1))).toEqual(['apart-b-1']);
    });

    it('holds nothing of a transaction that was rolled back', async () => {
      const { transaction, rollback } = await under.begin();
      await under.appender.append(transaction, 'rollback', [makeEvent('rollback-gone')]);
      await rollback();
      await append('rollback', 'kept');
      expect(idsOf(await readEntries(under.log, 'rollback', START, 1))).toEqual(['rollback-kept']);
    });

    it('never passes a slow transaction that began earlier', async () => {
      const slow = await under.begin();
      await under.appender.append(slow.transaction, 'slow', [makeEvent('slow-first')]);
      await append('slow', 'second');
      const seen: string[] = [];
      const stop = new AbortController();
      const reading = (async () => {
        for await (const batch of under.log.read('slow', { after: START, signal: stop.signal }))
          seen.push(...idsOf(batch));
      })();
      // The second is committed and announced: a reader that went by serial numbers would have it in a few milliseconds.
      const signal = AbortSignal.timeout(ABSENT_MS);
      for await (const batch of under.log.read('slow', { after: START, signal })) seen.push(...idsOf(batch));
      expect(seen).toEqual([]);
      await slow.commit();
      await expect.poll(() => seen, { timeout: DEADLINE_MS }).toEqual(['slow-first', 'slow-second']);
      stop.abort();
      await reading;
    });

    it('gives each event once and in order of position while eight writers append', async () => {
      const writers = 8;
      const events = 200;
      const reading = readEntries(under.log, 'concurrent', START, writers * events, 64);
      const write = async (writer: number) => {
        for (let first = 0; first < events; first += 20) {
          await append(
            'concurrent',
            ...Array.from({ length: 20 }, (_, index) => `${writer}-${first + index}`),
          );
        }
      };
      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
      const entries = await reading;
      expect(new Set(idsOf(entries)).size).toBe(writers * events);
      expect(entries).toHaveLength(writers * events);
      expectAscending(under.log, entries);
      for (let writer = 0; writer < writers; writer++) {
        const own = idsOf(entries).filter((id) => id.startsWith(`concurrent-${writer}-`));
        expect(own).toEqual(
          named(
            'concurrent',
            numbers(events).map((n) => `${writer}-${n}`),
          ),
        );
      }
    });

    it('resumes after any position without loss or repetition', async () => {
      await append('resume', ...numbers(6));
      await append('resume', '6', '7');
      const all = await readEntries(under.log, 'resume', START, 8);
      for (const [index, entry] of all.slice(0, -1).entries()) {
        const rest = await readEntries(under.log, 'resume', positionOf(entry), 7 - index, 3);
        expect(idsOf(rest)).toEqual(idsOf(all).slice(index + 1));
      }
    });

    it('ends a bounded read at its bound, also when nothing lies before it', async () => {
      await append('bounded', ...numbers(5));
      const all = await readEntries(under.log, 'bounded', START, 5);
      const bound = positionOf(all[2]);
      const signal = AbortSignal.timeout(DEADLINE_MS);
      const seen: string[] = [];
      for await (const batch of under.log.read('bounded', {
        after: START,
        upTo: bound,
        signal,
        batchEventsMax: 2,
      }))
        seen.push(...idsOf(batch));
      expect(seen).toEqual(named('bounded', ['0', '1', '2']));
      for await (const batch of under.log.read('bounded', { after: bound, upTo: bound, signal }))
        expect(batch).toEqual([]);
      for await (const batch of under.log.read('nothing', { after: START, upTo: bound, signal }))
        expect(batch).toEqual([]);
      expect(signal.aborted).toBe(false);
    });

    it('begins at now when no position is given, and misses nothing that follows its head', async () => {
      await append('now', 'before');
      const head = await under.log.head('now');
      await append('now', 'after');
      expect(idsOf(await readEntries(under.log, 'now', head, 1)).at(-1)).toBe('now-after');
      const stop = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const batch of under.log.read('now', { signal: stop.signal })) seen.push(...idsOf(batch));
      })();
      for (let tick = 0; !seen.some((id) => id.startsWith('now-tick')); tick++) {
        expect(tick).toBeLessThan(1_000);
        await append('now', `tick${tick}`);
      }
      stop.abort();
      await reading;
      expect(seen).not.toContain('now-before');
    });

    it('tells of the gap first when what follows the position is no longer retained', async () => {
      await append('trim', '1', '2', '3');
      const before = await readEntries(under.log, 'trim', START, 3);
      // What the live engine has not acknowledged yet is not trimmed.
      let trimmed = 0;
      await expect
        .poll(async () => (trimmed += await under.log.trim('trim', 0)), { timeout: DEADLINE_MS })
        .toBe(3);
      await append('trim', '4');
      const [gap, next] = await readEntries(under.log, 'trim', positionOf(before[0]), 2);
      expect(gap).toEqual({
        kind: 'gap',
        from: positionOf(before[0]),
        to: positionOf(before[2]),
        reason: 'RETENTION',
      });
      expect(next).toMatchObject({ kind: 'event', event: { id: 'trim-4' } });
      expect(idsOf(await readEntries(under.log, 'trim', positionOf(before[2]), 1))).toEqual(['trim-4']);
      expect(idsOf(await readEntries(under.log, 'trim', START, 2))).toEqual(['gap', 'trim-4']);
    });

    it('keeps what is younger than the retention', async () => {
      await append('young', '1');
      expect(await under.log.trim('young', 3_600_000)).toBe(0);
      expect(idsOf(await readEntries(under.log, 'young', START, 1))).toEqual(['young-1']);
    });

    it('ends the iteration without an error when the signal aborts', async () => {
      const stop = new AbortController();
      const reading = (async () => {
        for await (const batch of under.log.read('quiet', { after: START, signal: stop.signal }))
          expect(batch).toEqual([]);
        return 'ended';
      })();
      stop.abort();
      await expect(reading).resolves.toBe('ended');
    });

    it('orders positions as it yields them and refuses a text that is none', async () => {
      await append('compare', ...numbers(3));
      const entries = await readEntries(under.log, 'compare', START, 3);
      expectAscending(under.log, entries);
      expect(under.log.compare(START, positionOf(entries[0]))).toBeLessThan(0);
      expect(under.log.compare(positionOf(entries[0]), positionOf(entries[0]))).toBe(0);
      for (const damaged of ['', '1', '01.1', '1.1 ', '-1.1', "1.1'; --", '1.1.1']) {
        expect(() => under.log.compare(damaged, START)).toThrow(
          expect.objectContaining({ code: 'INVALID_CURSOR' }),
        );
      }
    });
  });
}

export function positionOf(entry: LogEvent | LogGap | undefined): Position {
  if (entry?.kind !== 'event') throw new Error(`expected an event, got ${JSON.stringify(entry)}`);
  return entry.position;
}

function expectAscending(log: EventLog, entries: readonly (LogEvent | LogGap)[]): void {
  const positions = entries.map(positionOf);
  for (const [index, position] of positions.entries()) {
    const previous = positions[index - 1];
    if (previous !== undefined) expect(log.compare(previous, position)).toBeLessThan(0);
  }
}
