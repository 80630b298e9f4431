// The laws of a live field that begins with the current state, and of one that gathers changes.
import { afterEach, describe, expect, it } from 'vitest';
import { type LiveGraph, lampEvent, startLiveGraph, type TestSink } from './live-graph.ts';

const DEADLINE_MS = 15_000;
const SNAPSHOT = `subscription ($street: ID, $kind: ID, $after: Cursor) {
  lampChanged(street: $street, kind: $kind, from: SNAPSHOT, after: $after) { cursor n gap { reason } lamp { id colour } }
}`;
const MEASURED =
  'subscription ($ms: Int) { lampMeasured(intervalMs: $ms) { cursor n gap { reason } lamp { id } } }';
const STREET = `subscription ($street: ID, $ms: Int, $from: StreamStart, $after: Cursor) {
  streetChanged(street: $street, intervalMs: $ms, from: $from, after: $after) { cursor gap { reason } street { id looks } }
}`;

let graph: LiveGraph;
afterEach(() => graph?.close());

const untilLive = (count: number) =>
  expect.poll(() => graph.streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(count);
const untilHas = (sink: TestSink, count: number) =>
  expect.poll(() => sink.messages.length, { timeout: DEADLINE_MS }).toBe(count);
const lists = () => graph.lamps.requests.filter(({ query }) => query.includes('lamps('));

describe('from: BOOKMARK', () => {
  const BOOKMARK = `subscription ($street: ID, $kind: ID, $after: Cursor) {
    lampChanged(street: $street, kind: $kind, from: BOOKMARK, after: $after) { cursor n gap { reason } lamp { id } }
  }`;

  it('says first where the stream begins, reads no list, and then brings every change', async () => {
    graph = await startLiveGraph();
    graph.listed.push('a', 'b');
    graph.append('lamp', lampEvent(1));
    const sink = await graph.subscribe(BOOKMARK, { kind: 'k' });
    await untilHas(sink, 1);
    expect(sink.messages[0]).toEqual({ cursor: expect.any(String), n: null, gap: null, lamp: null });
    expect(lists()).toHaveLength(0);
    graph.append('lamp', lampEvent(2), lampEvent(3));
    await untilHas(sink, 3);
    expect(sink.messages.slice(1)).toMatchObject([
      { n: 2, lamp: { id: '2' } },
      { n: 3, lamp: { id: '3' } },
    ]);
  });

  it('has a cursor that brings what came behind it, also before the stream stood', async () => {
    graph = await startLiveGraph();
    const first = await graph.subscribe(BOOKMARK);
    await untilHas(first, 1);
    first.subscription.stop();
    graph.append('lamp', lampEvent(1), lampEvent(2));
    const again = await graph.subscribe(BOOKMARK, { after: first.messages[0]?.cursor });
    await untilHas(again, 2);
    expect(again.messages.map(({ n }) => n)).toEqual([1, 2]);
  });
});

describe('from: SNAPSHOT', () => {
  it('brings the state, paged to its end, and then every change after it', async () => {
    graph = await startLiveGraph({ snapshotPageEntities: 2 });
    graph.listed.push('a', 'b', 'c', 'd', 'e');
    graph.append('lamp', lampEvent(1), lampEvent(2));
    const sinks = await Promise.all(
      Array.from({ length: 20 }, () => graph.subscribe(SNAPSHOT, { street: 's' })),
    );
    await untilLive(20);
    // Shared by all who begin together.
    expect(lists()).toHaveLength(3);
    expect(lists()[0]?.variables).toMatchObject({ street: 's' });
    graph.append('lamp', lampEvent(3), lampEvent(4));
    for (const sink of sinks) {
      await untilHas(sink, 7);
      expect(sink.messages.map(({ lamp }) => lamp?.id)).toEqual(['a', 'b', 'c', 'd', 'e', '3', '4']);
      expect(sink.messages.map(({ n }) => n)).toEqual([null, null, null, null, null, 3, 4]);
      expect(sink.messages[1]?.lamp?.colour).toBe('colour b');
      // Who has the cursor has the message, for a client that resumes.
      expect(new Set(sink.messages.map(({ cursor }) => cursor)).size).toBe(7);
    }
  });

  it('is begun anew by a cursor amid it, and gone on behind by the last one', async () => {
    graph = await startLiveGraph();
    graph.listed.push('a', 'b');
    const first = await graph.subscribe(SNAPSHOT);
    await untilLive(1);
    graph.append('lamp', lampEvent(1));
    await untilHas(first, 3);
    const [amid, last] = first.messages.map(({ cursor }) => cursor);
    first.subscription.stop();
    const again = await graph.subscribe(SNAPSHOT, { after: amid });
    await untilHas(again, 2);
    expect(again.messages.map(({ lamp }) => lamp?.id)).toEqual(['a', 'b']);
    const behind = await graph.subscribe(SNAPSHOT, { after: last });
    await untilHas(behind, 1);
    expect(behind.messages[0]).toMatchObject({ n: 1 });
  });

  it('loses nothing that happens while the state is read, and brings nothing twice', async () => {
    graph = await startLiveGraph({ snapshotPageEntities: 1 });
    graph.listed.push('a', 'b', 'c');
    const other = await graph.subscribe('subscription { lampChanged { n } }');
    await untilLive(1);
    graph.lamps.fault = { kind: 'delay', delayMs: 20 };
    const sink = await graph.subscribe(SNAPSHOT);
    for (let n = 1; n <= 20; n += 1) {
      graph.append('lamp', lampEvent(n));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await untilLive(2);
    graph.append('lamp', lampEvent(21));
    await untilHas(other, 21);
    await untilHas(sink, 24);
    const numbers = Array.from({ length: 21 }, (_, index) => index + 1);
    expect(sink.messages.map(({ n }) => n)).toEqual([null, null, null, ...numbers]);
  });

  it('ends with a code when the state is too large, or cannot be read, or is not asked for as the changes are', async () => {
    graph = await startLiveGraph({ snapshotEntitiesMax: 2 });
    graph.listed.push('a', 'b', 'c');
    const codeOf = async (variables: object) => {
      const sink = await graph.subscribe(SNAPSHOT, variables);
      await expect.poll(() => sink.ended, { timeout: DEADLINE_MS }).toBeDefined();
      return sink.ended?.code;
    };
    expect(await codeOf({})).toBe('LIMIT_EXCEEDED');
    expect(await codeOf({ kind: 'k' })).toBe('BAD_USER_INPUT');
    graph.lamps.fault = { kind: 'status', status: 503, body: '' };
    expect(await codeOf({ street: 'other' })).toBe('UPSTREAM_UNAVAILABLE');
    expect(graph.streams.figures()).toMatchObject({ groups: 0, members: 0 });
  });
});

describe('a field that coalesces', () => {
  it('brings of each subject the latest of an interval, in the order of the log', async () => {
    graph = await startLiveGraph();
    const sink = await graph.subscribe(MEASURED, { ms: 100 });
    const all = await graph.subscribe(MEASURED, { ms: 0 });
    await untilLive(2);
    const of = (n: number, id: string) => lampEvent(n, {}, id);
    graph.append('measure', of(1, 'a'), of(2, 'b'), of(3, 'a'), of(4, 'c'), of(5, 'a'));
    await untilHas(sink, 3);
    expect(sink.messages.map(({ n }) => n)).toEqual([2, 4, 5]);
    expect(all.messages.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5]);
    expect(sink.messages.map(({ cursor }) => cursor)).toEqual(
      [1, 3, 4].map((at) => all.messages[at]?.cursor),
    );
    graph.append('measure', of(6, 'a'));
    await untilHas(sink, 4);
  });

  it('keeps the latest of each subject for a slow client, rather than a gap', async () => {
    graph = await startLiveGraph({ queueEventsMax: 2 });
    const sink = await graph.subscribe(MEASURED, { ms: 1 });
    const all = await graph.subscribe(MEASURED, { ms: 0 });
    await untilLive(2);
    sink.bufferedBytes = 10_000_000;
    for (let n = 1; n <= 6; n += 1) {
      graph.append('measure', lampEvent(n, {}, n % 2 === 0 ? 'even' : 'odd'));
      await untilHas(all, n);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    sink.bufferedBytes = 0;
    sink.subscription.drained();
    await untilHas(sink, 2);
    expect(sink.messages.map(({ n, gap }) => gap?.reason ?? n)).toEqual([5, 6]);
  });

  it('refuses an interval beyond the limit', async () => {
    graph = await startLiveGraph();
    const sink = await graph.subscribe(MEASURED, { ms: 3_600_000 });
    await expect.poll(() => sink.ended, { timeout: DEADLINE_MS }).toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('a field that brings what its arguments name', () => {
  const streetsOf = (sink: TestSink) => sink.messages.map(({ street }) => street?.id);
  const append = (from: number, to: number) => {
    for (let n = from; n <= to; n += 1) graph.append('lamp', lampEvent(n, {}, `${n % 3}`));
  };

  it('is one subject, whatever the events are about: at most one an interval, and the latest', async () => {
    graph = await startLiveGraph();
    const one = await graph.subscribe(STREET, { street: 's' });
    const every = await graph.subscribe(STREET);
    const other = await graph.subscribe(STREET, { street: 'elsewhere' });
    await untilLive(3);
    const startedAt = performance.now();
    append(1, 40);
    await untilHas(one, 1);
    expect(performance.now() - startedAt).toBeGreaterThan(140);
    append(41, 60);
    await untilHas(one, 2);
    await untilHas(every, 2);
    expect(streetsOf(one)).toEqual(['s', 's']);
    expect(streetsOf(every)).toEqual(['*', '*']);
    expect(other.messages).toEqual([]);
    // It stands behind the last of what it was told of: nothing is left to bring.
    const again = await graph.subscribe(STREET, { street: 's', after: one.messages.at(-1)?.cursor });
    await untilLive(4);
    append(61, 61);
    await untilHas(again, 1);
  });

  it('begins with the one object that its state is', async () => {
    graph = await startLiveGraph();
    const sink = await graph.subscribe(STREET, { street: 's', from: 'SNAPSHOT' });
    await untilHas(sink, 1);
    expect(streetsOf(sink)).toEqual(['s']);
    await untilLive(1);
    append(1, 5);
    await untilHas(sink, 2);
  });

  it('brings who comes back the latest once, however much was missed', async () => {
    graph = await startLiveGraph({ catchUpEventsMax: 10 });
    const before = await graph.subscribe(STREET, { street: 's' });
    await untilLive(1);
    append(1, 1);
    await untilHas(before, 1);
    before.subscription.stop();
    await untilLive(0);
    append(2, 95);
    const looks = before.messages[0]?.street?.looks ?? 0;
    const back = await graph.subscribe(STREET, { street: 's', after: before.messages[0]?.cursor });
    await untilLive(1);
    await untilHas(back, 1);
    expect(back.messages[0]?.street?.looks).toBe(looks + 1);
    append(96, 96);
    await untilHas(back, 2);
  });

  it('is refused a shorter interval than the field allows', async () => {
    graph = await startLiveGraph();
    const sink = await graph.subscribe(STREET, { ms: 149 });
    await expect.poll(() => sink.ended, { timeout: DEADLINE_MS }).toMatchObject({ code: 'BAD_USER_INPUT' });
    await graph.subscribe(STREET, { ms: 150 });
    await untilLive(1);
  });
});
