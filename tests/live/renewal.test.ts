// A subscriber whose authority is renewed goes on in another group: amid what it catches up, amid the state, and while it is slow.
import { createPrincipal } from '@weft/gateway/identity/principal';
import { afterEach, describe, expect, it } from 'vitest';
import { LIVE, type LiveGraph, lampEvent, startLiveGraph, type TestSink } from './live-graph.ts';

const DEADLINE_MS = 15_000;
const EVENTS = 400;
const SNAPSHOT =
  'subscription { lampChanged(from: SNAPSHOT) { cursor n gap { reason } lamp { id colour watts } } }';
const viewer = createPrincipal({ subject: 'officer', roles: ['viewer'] });
const leader = createPrincipal({ subject: 'officer', roles: ['viewer', 'leader'] });

let graph: LiveGraph;
afterEach(() => graph?.close());

const untilHas = (sink: TestSink, count: number) =>
  expect.poll(() => sink.messages.length, { timeout: DEADLINE_MS }).toBe(count);
const atLeast = (sink: TestSink, count: number) =>
  expect.poll(() => sink.messages.length, { timeout: DEADLINE_MS }).toBeGreaterThanOrEqual(count);
const numbersOf = (sink: TestSink) => sink.messages.map(({ n }) => n);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function renew(sink: TestSink, query: string, variables: object, principal = leader): Promise<void> {
  const prepared = await graph.engine.prepare(query, undefined, principal);
  if ('errors' in prepared) throw prepared.errors[0];
  graph.streams.moveTo(sink.subscription, prepared, variables as Record<string, unknown>, {
    signal: new AbortController().signal,
    traceId: '1'.repeat(32),
    principal,
    headers: { 'x-tenant': 'renewed' },
  });
}

/** A cursor behind the first event, and `EVENTS` more behind it. */
async function startBehind(): Promise<TestSink> {
  graph = await startLiveGraph({}, ['x-tenant']);
  const first = await graph.subscribe(LIVE, {}, { principal: viewer });
  await expect.poll(() => graph.streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(1);
  graph.append('lamp', lampEvent(1));
  await untilHas(first, 1);
  first.subscription.stop();
  for (const n of range(2, EVENTS)) graph.append('lamp', lampEvent(n));
  return first;
}

describe('a subscriber whose authority is renewed', () => {
  it('amid what it catches up gets the rest of it once and in order, as who it is now', async () => {
    const first = await startBehind();
    const after = first.messages[0]?.cursor;
    graph.lamps.fault = { kind: 'delay', delayMs: 5 };
    const sink = await graph.subscribe(LIVE, { after }, { principal: viewer });
    await atLeast(sink, 1);
    const had = sink.messages.length;
    expect(had).toBeLessThan(EVENTS - 1);
    await renew(sink, LIVE, { after });
    expect(graph.streams.figures()).toMatchObject({ groups: 1, members: 1 });
    graph.append('lamp', lampEvent(EVENTS + 1));
    await untilHas(sink, EVENTS);
    expect(numbersOf(sink)).toEqual(range(2, EVENTS + 1));
    expect(graph.lamps.requests[0]?.headers['x-tenant']).toBeUndefined();
    expect(graph.lamps.requests.at(-1)?.headers['x-tenant']).toBe('renewed');
  });

  it('again and again while it catches up, misses and doubles nothing', async () => {
    const first = await startBehind();
    const after = first.messages[0]?.cursor;
    graph.lamps.fault = { kind: 'delay', delayMs: 2 };
    const sink = await graph.subscribe(LIVE, { after }, { principal: viewer });
    for (const turn of range(1, 12)) {
      await atLeast(sink, Math.min(turn * 10, EVENTS - 1));
      await renew(sink, LIVE, { after }, turn % 2 === 0 ? viewer : leader);
    }
    await untilHas(sink, EVENTS - 1);
    expect(numbersOf(sink)).toEqual(range(2, EVENTS));
    expect(graph.streams.figures()).toMatchObject({ groups: 1, members: 1 });
  });

  it('amid the state begins the state anew, and has each change after it once', async () => {
    graph = await startLiveGraph({ snapshotPageEntities: 1 });
    graph.listed.push('a', 'b', 'c', 'd');
    graph.lamps.fault = { kind: 'delay', delayMs: 20 };
    const sink = await graph.subscribe(SNAPSHOT, {}, { principal: viewer });
    await atLeast(sink, 1);
    const had = sink.messages.length;
    await renew(sink, SNAPSHOT, {});
    graph.append('lamp', lampEvent(1), lampEvent(2));
    await expect
      .poll(() => numbersOf(sink).filter((n) => n !== null), { timeout: DEADLINE_MS })
      .toEqual([1, 2]);
    const state = sink.messages.filter(({ n }) => n === null).map(({ lamp }) => lamp?.id);
    expect(state.slice(0, had)).toEqual(['a', 'b', 'c', 'd'].slice(0, had));
    expect(state.slice(had)).toEqual(had === 4 ? [] : ['a', 'b', 'c', 'd']);
  });

  it('while its transport is full gets what waited from the log, under the new authority', async () => {
    graph = await startLiveGraph({ bufferedBytesMax: 10 });
    const sink = await graph.subscribe(LIVE, {}, { principal: viewer });
    await expect.poll(() => graph.streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(1);
    sink.bufferedBytes = 100;
    for (const n of range(1, 5)) graph.append('lamp', lampEvent(n));
    await expect.poll(() => graph.streams.figures().slow, { timeout: DEADLINE_MS }).toBe(1);
    await renew(sink, LIVE, {});
    sink.bufferedBytes = 0;
    sink.subscription.drained();
    await untilHas(sink, 5);
    expect(numbersOf(sink)).toEqual(range(1, 5));
    expect(graph.streams.figures()).toMatchObject({ groups: 1, members: 1, slow: 0 });
  });
});
