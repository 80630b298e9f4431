// The laws of groups: one execution and one text an event, whatever the number of those who get it.
import { createPrincipal } from '@weft/gateway/identity/principal';
import { afterEach, describe, expect, it } from 'vitest';
import { LIVE, type LiveGraph, lampEvent, startLiveGraph, type TestSink } from './live-graph.ts';

const DEADLINE_MS = 15_000;
let graph: LiveGraph;
afterEach(() => graph?.close());

const untilLive = (count: number) =>
  expect.poll(() => graph.streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(count);
const untilHas = (sink: TestSink | undefined, count: number) =>
  expect.poll(() => sink?.messages.length, { timeout: DEADLINE_MS }).toBe(count);
const fetches = () => graph.lamps.requests.length + graph.power.requests.length;
const numbersOf = (sink: TestSink | undefined) => sink?.messages.map(({ n }) => n);
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('a group', () => {
  it('costs two fetches an event for two systems, for one subscriber or for fifty', async () => {
    graph = await startLiveGraph();
    const sinks = await Promise.all(range(50).map(() => graph.subscribe(LIVE, { street: 's' })));
    await untilLive(50);
    expect(graph.streams.figures()).toMatchObject({ groups: 1, members: 50 });
    for (const n of range(5)) {
      graph.append('lamp', lampEvent(n));
      await untilHas(sinks[49], n);
    }
    expect(fetches()).toBe(10);
    expect(sinks[0]?.messages[4]?.lamp).toEqual({ id: '5', colour: 'colour 5', watts: 5 });
    for (const { texts } of sinks) expect(texts).toEqual(sinks[0]?.texts);
    expect(graph.streams.figures()).toMatchObject({ deliveries: 250, events: 5 });
  });

  it('is of all who ask the same, wherever they begin, and of no others', async () => {
    graph = await startLiveGraph();
    const [first] = [await graph.subscribe(LIVE, { street: 's' })];
    await untilLive(1);
    graph.append('lamp', lampEvent(1));
    await untilHas(first, 1);
    const after = first?.messages[0]?.cursor;
    const resumed = await graph.subscribe(LIVE, { after, street: 's', unheard: 'of' });
    await untilLive(2);
    expect(graph.streams.figures().groups).toBe(1);
    const elsewhere = await graph.subscribe(LIVE, { street: 'another' });
    const narrow = await graph.subscribe('subscription { lampChanged(street: "s") { n } }');
    await untilLive(4);
    expect(graph.streams.figures().groups).toBe(3);
    graph.lamps.requests.splice(0);
    graph.power.requests.splice(0);
    graph.append('lamp', lampEvent(2));
    for (const sink of [resumed, narrow]) await untilHas(sink, 1);
    await untilHas(first, 2);
    // The narrow one needs no system, and the other street's was filtered before anything was fetched.
    expect(fetches()).toBe(2);
    expect(elsewhere.messages).toEqual([]);
  });

  it('says to subgraphs what its members may do, and none of their names', async () => {
    graph = await startLiveGraph({}, ['x-tenant']);
    const officer = (subject: string) => createPrincipal({ subject, roles: ['duty-officer'] });
    const sinks = await Promise.all(
      [officer('a'), officer('b')].map((principal) => graph.subscribe(LIVE, { street: 's' }, { principal })),
    );
    const viewer = createPrincipal({ subject: 'c', roles: ['viewer'] });
    await graph.subscribe(LIVE, { street: 's' }, { principal: viewer });
    const headers = { 'x-tenant': 'one', 'x-other': 'not sent on' };
    await graph.subscribe(LIVE, { street: 's' }, { principal: viewer, headers });
    await untilLive(4);
    expect(graph.streams.figures().groups).toBe(3);
    graph.append('lamp', lampEvent(1));
    for (const sink of sinks) await untilHas(sink, 1);
    const [one, two] = sinks.map(({ messages }) => messages[0]?.cursor);
    expect(one).not.toBe(two);
    const wrong = await graph.subscribe(LIVE, { street: 's', after: one }, { principal: viewer });
    await expect.poll(() => wrong.ended, { timeout: DEADLINE_MS }).toMatchObject({ code: 'INVALID_CURSOR' });
    const right = await graph.subscribe(LIVE, { street: 's', after: two }, { principal: officer('b') });
    graph.append('lamp', lampEvent(2));
    await untilHas(right, 1);
  });

  it('asks each system once for events that arrive together, and tells errors of each where they belong', async () => {
    graph = await startLiveGraph();
    const sink = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    graph.append('lamp', lampEvent(1), lampEvent(2, {}, 'bad'), lampEvent(3), lampEvent(4, {}, '1'));
    await untilHas(sink, 4);
    expect(fetches()).toBe(2);
    const asked = graph.lamps.requests[0]?.variables.representations as { id: string }[];
    expect(asked.map(({ id }) => id)).toEqual(['1', 'bad', '3']);
    expect(sink.results.map(({ errors }) => errors?.length ?? 0)).toEqual([0, 1, 0, 0]);
    expect(sink.results[1]?.errors?.[0]).toMatchObject({ path: ['lampChanged', 'lamp', 'colour'] });
    expect(sink.messages.map(({ lamp }) => lamp?.colour)).toEqual(['colour 1', null, 'colour 3', 'colour 1']);
  });

  it('writes together what is ready together, up to a bound', async () => {
    graph = await startLiveGraph();
    const sink = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    graph.append('lamp', ...range(4).map((n) => lampEvent(n)));
    await untilHas(sink, 4);
    expect(sink.writes).toEqual([4]);
    expect(numbersOf(sink)).toEqual(range(4));
    const { length } = sink.texts[0] ?? '';
    await graph.close();
    graph = await startLiveGraph({ writtenTogetherCharsMax: 2 * length + 10 });
    const bounded = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    graph.append('lamp', ...range(5).map((n) => lampEvent(n)));
    await untilHas(bounded, 5);
    expect(bounded.writes).toEqual([2, 2, 1]);
    expect(numbersOf(bounded)).toEqual(range(5));
  });

  it('asks for each alone where one takes the answer for all with it', async () => {
    graph = await startLiveGraph();
    const sink = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    graph.append('lamp', lampEvent(1), lampEvent(2, {}, 'worse'), lampEvent(3));
    await untilHas(sink, 3);
    expect(graph.lamps.requests).toHaveLength(4);
    expect(sink.messages.map(({ lamp }) => lamp?.colour)).toEqual(['colour 1', null, 'colour 3']);
    expect(sink.results.map(({ errors }) => errors?.length ?? 0)).toEqual([0, 1, 0]);
  });

  it('keeps the order of events whose fetches end in another', async () => {
    graph = await startLiveGraph({ eventsAtOnceMax: 4 });
    const sink = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    for (const n of range(20)) {
      // The first of each four is slow.
      graph.lamps.fault = n % 4 === 1 ? { kind: 'delay', delayMs: 30 } : undefined;
      graph.append('lamp', lampEvent(n));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await untilHas(sink, 20);
    expect(numbersOf(sink)).toEqual(range(20));
  });

  it('goes on for the others when one leaves in the middle of an execution, and leaves nothing behind', async () => {
    graph = await startLiveGraph();
    const [leaves, stays] = [await graph.subscribe(LIVE, {}), await graph.subscribe(LIVE, {})];
    await untilLive(2);
    graph.lamps.fault = { kind: 'delay', delayMs: 50 };
    graph.append('lamp', lampEvent(1));
    await expect.poll(() => graph.lamps.requests.length, { timeout: DEADLINE_MS }).toBe(1);
    leaves.subscription.stop();
    await untilHas(stays, 1);
    expect(leaves.messages).toEqual([]);
    stays.subscription.stop();
    expect(graph.streams.figures()).toMatchObject({ groups: 0, members: 0, slow: 0 });
    expect(graph.streams.topics()).toEqual([]);
  });

  it('leaves nothing behind after thousands of subscriptions that began and ended', async () => {
    graph = await startLiveGraph();
    const cycle = async () => (await graph.subscribe(LIVE, {})).subscription.stop();
    for (let cycles = 0; cycles < 500; cycles += 1) await cycle();
    const handles = process.getActiveResourcesInfo().length;
    for (let cycles = 0; cycles < 3_000; cycles += 1) await cycle();
    expect(graph.streams.figures()).toMatchObject({ groups: 0, members: 0 });
    await expect.poll(() => graph.streams.topics(), { timeout: DEADLINE_MS }).toEqual([]);
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handles + 2);
  });
});

describe('those who come back', () => {
  it('cost one execution an event, when two thousand of them come back to one place', async () => {
    graph = await startLiveGraph({ recentEventsMax: 20, recentPayloadsMax: 400, catchUpEventsMax: 25 });
    const first = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    graph.append('lamp', lampEvent(1));
    await untilHas(first, 1);
    first.subscription.stop();
    graph.append('lamp', ...range(60).map((n) => lampEvent(n + 1)));
    graph.lamps.requests.splice(0);
    const after = first.messages[0]?.cursor;
    const sinks = await Promise.all(range(2_000).map(() => graph.subscribe(LIVE, { street: 's', after })));
    await untilLive(2_000);
    graph.append('lamp', lampEvent(62));
    for (const sink of sinks) await untilHas(sink, 61);
    const expected = range(61).map((n) => n + 1);
    for (const sink of sinks) expect(numbersOf(sink)).toEqual(expected);
    const asked = graph.lamps.requests.flatMap(({ variables }) => variables.representations as unknown[]);
    expect(asked).toHaveLength(61);
    expect(graph.memory.reads).toBeLessThanOrEqual(6);
  });

  it('do not keep those who are not behind waiting', async () => {
    graph = await startLiveGraph({ queueEventsMax: 20, eventsAtOnceMax: 4, turnMembersMax: 1 });
    const quick = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    graph.append('lamp', ...range(161).map((n) => lampEvent(n)));
    await untilHas(quick, 161);
    const after = quick.messages[0]?.cursor;
    const behind = await Promise.all(range(40).map(() => graph.subscribe(LIVE, { street: 's', after })));
    const [first] = behind;
    expect(first?.messages).toEqual([]);
    // It happens while they are given what they missed, in 1,600 turns.
    first?.onceWritten(() => graph.append('lamp', lampEvent(162)));
    let missing = 0;
    quick.onceWritten(() => {
      missing = behind.filter(({ messages }) => messages.length < 160).length;
    });
    const expected = range(161).map((n) => n + 1);
    for (const sink of behind) await untilHas(sink, 161);
    for (const sink of behind) expect(numbersOf(sink)).toEqual(expected);
    expect(numbersOf(quick)?.at(-1)).toBe(162);
    expect(missing).toBeGreaterThan(0);
  });

  it('get what the group has at hand without another execution', async () => {
    graph = await startLiveGraph();
    const first = await graph.subscribe(LIVE, { street: 's' });
    await untilLive(1);
    graph.append('lamp', ...range(10).map((n) => lampEvent(n)));
    await untilHas(first, 10);
    const before = fetches();
    const again = await graph.subscribe(LIVE, { street: 's', after: first.messages[3]?.cursor });
    await untilHas(again, 6);
    expect(numbersOf(again)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(fetches()).toBe(before);
  });
});

describe('a slow client', () => {
  it('gets what waited and a gap when it takes again, and can resume what it missed', async () => {
    graph = await startLiveGraph({ queueEventsMax: 3 });
    const [slow, quick] = [await graph.subscribe(LIVE, {}), await graph.subscribe(LIVE, {})];
    await untilLive(2);
    slow.bufferedBytes = 10_000_000;
    for (const n of range(10)) graph.append('lamp', lampEvent(n));
    await untilHas(quick, 10);
    expect(slow.messages).toEqual([]);
    slow.bufferedBytes = 0;
    slow.subscription.drained();
    await untilHas(slow, 4);
    expect(numbersOf(slow)).toEqual([1, 2, 3, null]);
    const gap = slow.messages[3]?.gap;
    expect(gap).toEqual({
      from: quick.messages[2]?.cursor,
      to: quick.messages[9]?.cursor,
      reason: 'SLOW_CONSUMER',
    });
    graph.append('lamp', lampEvent(11));
    await untilHas(slow, 5);
    const missed = await graph.subscribe(LIVE, { after: gap?.from });
    await untilHas(missed, 8);
    expect(numbersOf(missed)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('is told of its gap and cut off when it takes nothing for too long, and the others do not notice', async () => {
    graph = await startLiveGraph({ slowClientTimeoutMs: 80 });
    const [stuck, quick] = [await graph.subscribe(LIVE, {}), await graph.subscribe(LIVE, {})];
    await untilLive(2);
    graph.append('lamp', lampEvent(1));
    await untilHas(stuck, 1);
    stuck.bufferedBytes = 10_000_000;
    graph.append('lamp', lampEvent(2), lampEvent(3));
    await expect
      .poll(() => stuck.ended, { timeout: DEADLINE_MS })
      .toEqual({ code: 'LIMIT_EXCEEDED', details: { limit: 'slowClientTimeoutMs', max: 80 } });
    expect(stuck.messages.at(-1)?.gap).toMatchObject({
      from: quick.messages[0]?.cursor,
      to: quick.messages[2]?.cursor,
    });
    expect(graph.streams.figures()).toMatchObject({ members: 1, slow: 0, slowGaps: 1 });
    expect(numbersOf(quick)).toEqual([1, 2, 3]);
  });

  it('is told what it did not get when the stream ends while it is slow', async () => {
    graph = await startLiveGraph();
    const [slow, quick] = [await graph.subscribe(LIVE, {}), await graph.subscribe(LIVE, {})];
    await untilLive(2);
    graph.append('lamp', lampEvent(1));
    await untilHas(slow, 1);
    slow.bufferedBytes = 10_000_000;
    graph.append('lamp', lampEvent(2), lampEvent(3));
    await untilHas(quick, 3);
    graph.memory.end();
    await expect.poll(() => slow.ended, { timeout: DEADLINE_MS }).toBeDefined();
    expect(slow.messages.at(-1)?.gap).toMatchObject({
      from: quick.messages[0]?.cursor,
      to: quick.messages[2]?.cursor,
    });
  });
});
