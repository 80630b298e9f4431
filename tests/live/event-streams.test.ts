// The laws of live subscriptions over a real event log, without a transport.

import { createLogger } from '@weft/core/logger';
import type { OperationContext, PreparedOperation } from '@weft/gateway/engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { createCursorCodec } from '@weft/gateway/subscribe/cursor';
import { createEventStreams, type EventStreams } from '@weft/gateway/subscribe/event-streams';
import type { FanOutLimits } from '@weft/gateway/subscribe/limits';
import type { ExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEchoEngine, type EchoEngineOptions, LIVE_FIELD } from './echo-engine.ts';
import { type LiveLog, openLiveLog, thing, things } from './live-log.ts';

const DEADLINE_MS = 15_000;
const logger = createLogger('test', 'silent');
const keyRing = [{ id: 'k1', secret: 's'.repeat(32) }] as const;

interface Message {
  readonly cursor: string;
  readonly n: number | null;
  readonly thing: { readonly id: string } | null;
  readonly gap: { readonly from: string; readonly to: string; readonly reason: string } | null;
}

type Stream = AsyncGenerator<ExecutionResult, void, undefined>;

let live: LiveLog;
beforeAll(async () => {
  live = await openLiveLog();
});
afterAll(() => live?.close());

interface Setup {
  readonly streams: EventStreams;
  subscribe(variables?: Record<string, unknown>, context?: Partial<OperationContext>): Stream;
}

function setUp(options: EchoEngineOptions, limits: Partial<FanOutLimits> = {}): Setup {
  const engine = createEchoEngine(options);
  const streams = createEventStreams({ log: live.log, engine, keyRing, logger, limits });
  const operation = engine.prepare(`subscription { ${LIVE_FIELD} { n } }`) as PreparedOperation;
  const subscribe: Setup['subscribe'] = (variables = {}, context = {}) =>
    streams.subscribe(operation, variables, {
      signal: AbortSignal.timeout(DEADLINE_MS),
      traceId: '0'.repeat(32),
      principal: ANONYMOUS,
      ...context,
    });
  return { streams, subscribe };
}

/** Takes whatever comes, as fast as it comes. */
function collect(stream: Stream): {
  readonly messages: Message[];
  readonly results: ExecutionResult[];
  readonly ended: Promise<void>;
} {
  const messages: Message[] = [];
  const results: ExecutionResult[] = [];
  const ended = (async () => {
    for await (const result of stream) {
      results.push(result);
      messages.push(result.data?.[LIVE_FIELD] as Message);
    }
  })();
  ended.catch(() => undefined);
  return { messages, results, ended };
}

async function take(stream: Stream, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < count) {
    const next = await stream.next();
    if (next.done === true)
      throw new Error(`expected ${count} messages, the stream ended after ${messages.length}`);
    messages.push(next.value.data?.[LIVE_FIELD] as Message);
  }
  return messages;
}

const untilLive = ({ streams }: Setup, subscribers: number) =>
  expect.poll(() => streams.liveSubscribers(), { timeout: DEADLINE_MS }).toBe(subscribers);
const numbersOf = (messages: readonly Message[]) => messages.map(({ n }) => n);
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const untilNumbers = (messages: readonly Message[], expected: readonly number[]) =>
  expect.poll(() => numbersOf(messages), { timeout: DEADLINE_MS }).toEqual(expected);

/** Everything from the beginning, as a client that resumes at the start of the log would see it. */
async function fromStart(setup: Setup, topic: string, count: number): Promise<Message[]> {
  const stream = setup.subscribe({ after: startCursor(topic) });
  const messages = await take(stream, count);
  await stream.return();
  return messages;
}

function startCursor(topic: string, position = '0.0', principal = 'anonymous'): string {
  return createCursorCodec(keyRing).encode(position, { topic, field: LIVE_FIELD, principal });
}

describe('event streams', () => {
  it('deliver what the message names, and a cursor, in the order of the log', async () => {
    const setup = setUp({ topic: 'order' });
    const stream = setup.subscribe();
    const { results, messages } = collect(stream);
    await untilLive(setup, 1);
    await live.append('order', ...things('order', 1, 2));
    await live.append('order', ...things('order', 3, 30));
    await untilNumbers(messages, range(1, 30));
    const cursor = expect.any(String);
    const message = { __typename: 'ThingChanged', cursor, gap: null, n: 1, thing: { id: '1' } };
    expect(results[0]).toEqual({ data: { [LIVE_FIELD]: message } });
    await stream.return();
  });

  it('filter on the raw event by the arguments, before anything is fetched', async () => {
    const fetched: unknown[] = [];
    const beforeEvent = async (message: Readonly<Record<string, unknown>>) => void fetched.push(message.n);
    const setup = setUp({ topic: 'filter', where: '$.division->under($args.division)', beforeEvent });
    const all = collect(setup.subscribe({ division: null }));
    const some = collect(setup.subscribe({ division: '320508' }));
    await untilLive(setup, 2);
    await live.append(
      'filter',
      thing('filter', 1, { division: '320508001' }),
      thing('filter', 2, { division: '320506' }),
      thing('filter', 3, { division: null }),
      thing('filter', 4, { division: '320508' }),
    );
    await untilNumbers(all.messages, [1, 2, 3, 4]);
    await untilNumbers(some.messages, [1, 4]);
    expect(fetched.toSorted()).toEqual([1, 1, 2, 3, 4, 4]);
  });

  it('resume after every cursor with nothing lost and nothing twice', async () => {
    const setup = setUp({ topic: 'resume' });
    await live.append('resume', ...things('resume', 1, 8));
    const all = await fromStart(setup, 'resume', 8);
    expect(numbersOf(all)).toEqual(range(1, 8));
    for (const [index, { cursor }] of all.entries()) {
      const resumed = collect(setup.subscribe({ after: cursor }));
      await untilNumbers(resumed.messages, range(index + 2, 8));
    }
  });

  it('join the shared reader without gap or double while events are being appended', async () => {
    const setup = setUp(
      { topic: 'join' },
      { recentEventsMax: 40, recentPayloadsMax: 40, queueEventsMax: 40 },
    );
    const collected = [collect(setup.subscribe({ after: startCursor('join') }))];
    await untilLive(setup, 1);
    const last = 300;
    for (let first = 1; first <= last; first += 10) {
      await live.append('join', ...things('join', first, first + 9));
      if (first % 50 === 1) collected.push(collect(setup.subscribe({ after: startCursor('join') })));
    }
    for (const { messages } of collected) await untilNumbers(messages, range(1, last));
    await untilLive(setup, collected.length);
    await live.append('join', thing('join', last + 1));
    for (const { messages } of collected) await untilNumbers(messages, range(1, last + 1));
    expect(setup.streams.topics()).toEqual(['join']);
  });

  it('tell a slow consumer of the gap and go on behind it; what was missed can be resumed', async () => {
    const setup = setUp({ topic: 'slow' }, { queueEventsMax: 10 });
    const slow = setup.subscribe();
    const first = slow.next();
    const other = collect(setup.subscribe());
    await untilLive(setup, 2);
    await live.append('slow', thing('slow', 1));
    expect(numbersOf([(await first).value?.data?.[LIVE_FIELD] as Message])).toEqual([1]);
    for (let n = 2; n <= 100; n += 5) {
      await live.append('slow', ...things('slow', n, Math.min(100, n + 4)));
      await untilNumbers(other.messages, range(1, Math.min(100, n + 4)));
    }
    await untilNumbers(other.messages, range(1, 100));

    const before = await take(slow, 11);
    const gap = before.findLast((message) => message.gap !== null);
    const delivered = before.slice(0, -1);
    expect(numbersOf(delivered)).toEqual(range(2, 11));
    expect(gap).toMatchObject({
      n: null,
      thing: null,
      gap: { reason: 'SLOW_CONSUMER', from: delivered.at(-1)?.cursor },
    });
    expect(gap?.gap?.to).toBe(other.messages.at(-1)?.cursor);
    expect(gap?.cursor).toBe(gap?.gap?.to);
    await live.append('slow', thing('slow', 101));
    expect(numbersOf(await take(slow, 1))).toEqual([101]);

    const missed = collect(setup.subscribe({ after: gap?.gap?.from }));
    await untilNumbers(missed.messages, range(12, 101));
  });

  it('tell of events that are no longer retained, in the message and in the extensions', async () => {
    const setup = setUp({ topic: 'retention' });
    await live.append('retention', ...things('retention', 1, 5));
    const all = await fromStart(setup, 'retention', 5);
    await live.log.trim('retention', 0);
    await live.append('retention', thing('retention', 6));
    const stream = setup.subscribe({ after: all[1]?.cursor });
    const { results } = collect(stream);
    await expect.poll(() => results.length, { timeout: DEADLINE_MS }).toBe(2);
    const gap = { from: all[1]?.cursor, to: all[4]?.cursor, reason: 'RETENTION' };
    expect(results[0]).toMatchObject({
      data: { [LIVE_FIELD]: { cursor: gap.to, gap, n: null, thing: null } },
      extensions: { weft: { gap } },
    });
    expect(results[1]?.data?.[LIVE_FIELD]).toMatchObject({ n: 6, gap: null });
    await stream.return();
  });

  it('end with INVALID_CURSOR for a cursor that is damaged, foreign, or from another log', async () => {
    const setup = setUp({ topic: 'cursors' });
    const far = startCursor('cursors', '18446744073709551615.1');
    const bad = ['nonsense', 7, startCursor('order'), startCursor('cursors', '0.0', 'somebody'), far];
    for (const after of bad) {
      await expect(setup.subscribe({ after }).next()).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    }
    expect(setup.streams.topics()).toEqual([]);
    expect(setup.streams.liveSubscribers()).toBe(0);
  });

  it('share one reader a topic, which ends after the last subscriber', async () => {
    const setup = setUp({ topic: 'shared' });
    const streams = [setup.subscribe(), setup.subscribe(), setup.subscribe()];
    const collected = streams.map(collect);
    await untilLive(setup, 3);
    expect(setup.streams.topics()).toEqual(['shared']);
    await streams[0]?.return();
    await streams[1]?.return();
    await live.append('shared', thing('shared', 1));
    await untilNumbers(collected[2]?.messages ?? [], [1]);
    await streams[2]?.return();
    expect(setup.streams.topics()).toEqual([]);
    expect(setup.streams.liveSubscribers()).toBe(0);
  });

  it('fetch for so many events at once as they may, and deliver in order however the fetches end', async () => {
    const waiting = new Map<unknown, () => void>();
    let most = 0;
    const beforeEvent = (message: Readonly<Record<string, unknown>>) =>
      new Promise<void>((resolve) => {
        waiting.set(message.n, resolve);
        most = Math.max(most, waiting.size);
      });
    const setup = setUp({ topic: 'ordered', beforeEvent }, { eventsAtOnceMax: 8 });
    const { messages } = collect(setup.subscribe());
    await untilLive(setup, 1);
    await live.append('ordered', ...things('ordered', 1, 20));
    while (messages.length < 20) {
      await expect.poll(() => waiting.size, { timeout: DEADLINE_MS }).toBeGreaterThan(0);
      // The newest first: the worst order there is.
      const newest = Math.max(...[...waiting.keys()].map(Number));
      waiting.get(newest)?.();
      waiting.delete(newest);
      if (waiting.size === 0) await expect.poll(() => waiting.size > 0 || messages.length === 20).toBe(true);
    }
    expect(numbersOf(messages)).toEqual(range(1, 20));
    expect(most).toBe(8);
  });

  it('go on after an event that could not be executed, and say its code and cursor', async () => {
    const beforeEvent = async ({ n }: Readonly<Record<string, unknown>>) => {
      if (n === 2) throw new Error('a mistake');
    };
    const setup = setUp({ topic: 'failing', beforeEvent });
    const { results } = collect(setup.subscribe());
    await untilLive(setup, 1);
    await live.append('failing', ...things('failing', 1, 3));
    await expect.poll(() => results.length, { timeout: DEADLINE_MS }).toBe(3);
    expect(results[1]?.errors?.[0]).toMatchObject({
      message: 'Internal error.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', origin: 'HUB', traceId: '0'.repeat(32) },
    });
    expect(results[1]?.extensions).toEqual({ weft: { cursor: expect.any(String) } });
    expect(results[2]?.data?.[LIVE_FIELD]).toMatchObject({ n: 3 });
  });

  it('end at once when the consumer returns or the signal aborts, whatever they wait for', async () => {
    const never = new Promise<void>(() => undefined);
    const setup = setUp({ topic: 'ending', beforeEvent: () => never });
    const stop = new AbortController();
    const returned = setup.subscribe();
    const aborted = setup.subscribe({}, { signal: stop.signal });
    const ends = [returned.next(), aborted.next()];
    await untilLive(setup, 2);
    await live.append('ending', thing('ending', 1));
    await returned.return();
    stop.abort();
    for (const end of ends) expect(await end).toEqual({ done: true, value: undefined });
    expect(setup.streams.topics()).toEqual([]);
  });
});
