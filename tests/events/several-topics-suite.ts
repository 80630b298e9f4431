// The laws of several topics that are read as one, run on each engine of the log.
import { type EventLog, type LogEvent, type LogGap, type Position, START } from '@weft/events/event-log';
import { joinTopics, withSeveralTopics } from '@weft/events/several-topics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idsOf, type LogUnderTest, makeEvent, readEntries } from './event-log-suite.ts';

const WRITERS = 6;
const EVENTS_A_WRITER = 12;

export function severalTopicsSuite(name: string, start: () => Promise<LogUnderTest>): void {
  describe(`several topics on ${name}`, () => {
    let under: LogUnderTest;
    let log: EventLog;
    beforeAll(async () => {
      under = await start();
      log = withSeveralTopics(under.log);
    });
    afterAll(() => under?.close());

    const append = async (...events: readonly (readonly [topic: string, id: string])[]) => {
      const { transaction, commit } = await under.begin();
      for (const [topic, id] of events) await under.appender.append(transaction, topic, [makeEvent(id)]);
      await commit();
    };
    const read = (topics: string, after: Position, count: number) =>
      readEntries(log, topics, after, count, 7);
    /** What a reader that resumes behind the entry gets first. */
    const placeOf = (entry: LogEvent | LogGap | undefined) =>
      (entry?.kind === 'event' ? entry.position : entry?.to) ?? '';

    it('yields the events of all in the order of the log, those of one transaction too', async () => {
      await append(['order-a', 'o1'], ['order-b', 'o2'], ['order-a', 'o3']);
      await append(['order-b', 'o4']);
      await append(['order-c', 'not asked for']);
      await append(['order-a', 'o5']);
      expect(idsOf(await read('order-a,order-b', START, 5))).toEqual(['o1', 'o2', 'o3', 'o4', 'o5']);
    });

    it('goes on behind each place with what follows, no more and no less', async () => {
      for (let n = 0; n < 12; n += 1) await append([n % 3 === 0 ? 'place-a' : 'place-b', `p${n}`]);
      const entries = await read('place-a,place-b', START, 12);
      for (const [index, entry] of entries.entries()) {
        if (index === entries.length - 1) continue;
        const rest = await read('place-a,place-b', placeOf(entry), entries.length - index - 1);
        expect(idsOf(rest)).toEqual(idsOf(entries.slice(index + 1)));
      }
    });

    it('is the same for a reader that follows many writers and for one that reads afterwards', async () => {
      const topics = 'many-a,many-b,many-c';
      const count = WRITERS * EVENTS_A_WRITER;
      const following = read(topics, await log.head(topics), count);
      await Promise.all(
        Array.from({ length: WRITERS }, async (_, writer) => {
          for (let n = 0; n < EVENTS_A_WRITER; n += 1) {
            const topic = `many-${'abc'[(writer + n) % 3]}`;
            const other = `many-${'abc'[(writer + n + 1) % 3]}`;
            if (n % 2 === 0) await append([topic, `m${writer}-${n}`], [other, `m${writer}-${n + 1}`]);
          }
        }),
      );
      const live = await following;
      const later = await read(topics, START, count);
      expect(new Set(idsOf(live)).size).toBe(count);
      expect(idsOf(live)).toEqual(idsOf(later));
      expect(live.map(placeOf)).toEqual(later.map(placeOf));
      const places = live.map(placeOf);
      for (const [index, place] of places.entries())
        if (index > 0) expect(log.compare(places[index - 1] ?? '', place)).toBeLessThan(0);
    });

    it('ends at a place that it is to read up to', async () => {
      await append(['up-a', 'u1']);
      await append(['up-b', 'u2']);
      await append(['up-a', 'u3']);
      const [, second] = await read('up-a,up-b', START, 3);
      const ids: string[] = [];
      const options = { after: START, upTo: placeOf(second), signal: AbortSignal.timeout(15_000) };
      for await (const batch of log.read('up-a,up-b', options)) ids.push(...idsOf(batch));
      expect(ids).toEqual(['u1', 'u2']);
    });

    it('has a head that everything committed later lies beyond, whichever topic is quiet', async () => {
      await append(['head-a', 'h1']);
      await append(['head-b', 'h2']);
      // What others still have open holds the end of the log back: it is read first.
      await read('head-a,head-b', START, 2);
      const head = await log.head('head-a,head-b');
      await append(['head-a', 'h3']);
      expect(idsOf(await read('head-a,head-b', head, 1))).toEqual(['h3']);
      const [entry] = await read('head-a,head-b', head, 1);
      expect(log.compare(placeOf(entry), await log.head('head-a,head-b'))).toBeLessThanOrEqual(0);
    });

    it('tells the gap of one topic alone, brings all that the other retains, and has both in its places', async () => {
      await append(['gap-a', 'g1'], ['gap-b', 'g2']);
      await append(['gap-a', 'g3']);
      await append(['gap-b', 'g4']);
      await expect
        .poll(async () => idsOf(await read('gap-a,gap-b', START, 4)), { timeout: 15_000 })
        .toEqual(['g1', 'g2', 'g3', 'g4']);
      // What a live engine has not acknowledged is kept.
      await expect.poll(() => under.log.trim('gap-a', 0), { timeout: 15_000 }).toBe(2);
      const entries = await read('gap-a,gap-b', START, 3);
      expect(idsOf(entries)).toEqual(['gap', 'g2', 'g4']);
      const [gap, second] = entries;
      expect(gap).toMatchObject({ kind: 'gap', from: START, reason: 'RETENTION' });
      expect(log.compare(START, placeOf(gap))).toBeLessThan(0);
      expect(log.compare(placeOf(gap), placeOf(second))).toBeLessThan(0);
      // Behind the gap it is not told again, and nothing of the other topic is missing.
      expect(idsOf(await read('gap-a,gap-b', placeOf(gap), 2))).toEqual(['g2', 'g4']);
      expect(idsOf(await read('gap-a,gap-b', placeOf(second), 1))).toEqual(['g4']);
    });

    it('refuses a place that is not one of its topics', async () => {
      const signal = AbortSignal.timeout(15_000);
      const reading = log.read('bad-a,bad-b', { after: '1.1_7-2.2', signal })[Symbol.asyncIterator]();
      await expect(reading.next()).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    });

    it('ends when its signal aborts', async () => {
      const stop = new AbortController();
      const reading = log.read('quiet-a,quiet-b', { signal: stop.signal })[Symbol.asyncIterator]();
      const next = reading.next();
      stop.abort();
      expect((await next).done).toBe(true);
    });
  });

  describe('the name of several topics', () => {
    it('is the same whatever their order, and that of one is its own', () => {
      expect(joinTopics(['b', 'a', 'b'])).toBe('a,b');
      expect(joinTopics(['incident'])).toBe('incident');
    });

    it('cannot be made of none, of too many, or of one with a comma', () => {
      const many = Array.from({ length: 9 }, (_, n) => `t${n}`);
      for (const topics of [[], [''], ['a,b'], many]) expect(() => joinTopics(topics)).toThrow('topics');
    });
  });
}
