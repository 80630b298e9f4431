// The laws of the end of a shared reader, over a real event log.
import { FAN_OUT_LIMITS } from '@weft/gateway/subscribe/limits';
import { createTopicReaders } from '@weft/gateway/subscribe/topic-reader';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type LiveLog, openLiveLog, thing } from './live-log.ts';

const DEADLINE_MS = 10_000;
const TOPIC = 'ending';

let live: LiveLog;
beforeEach(async () => {
  live = await openLiveLog();
});
afterEach(() => live.close());

/** A hold on a reader that has ended, as a subscriber has it that was still catching up. */
async function acquireEnded() {
  const readers = createTopicReaders(live.log, { ...FAN_OUT_LIMITS, recentEventsMax: 10 });
  const lease = await readers.acquire(TOPIC);
  onTestFinished(() => lease.release());
  const ended = Promise.withResolvers<void>();
  lease.listen({ onEntry: () => undefined, onEnd: () => ended.resolve() });
  await live.append(TOPIC, thing(TOPIC, 1));
  await expect.poll(() => lease.reader.since(lease.reader.oldest()).length, { timeout: DEADLINE_MS }).toBe(1);
  await live.log.close();
  await ended.promise;
  return lease.reader;
}

describe('a shared reader that has ended', () => {
  it('tells at once whoever begins to listen', async () => {
    const reader = await acquireEnded();
    let told = 0;
    const stop = reader.listen({ onEntry: () => undefined, onEnd: () => told++ });
    expect(told).toBe(1);
    stop();
  });
});

describe('a shared reader', () => {
  it('keeps no more characters of events at hand than its limit, and says from where on it has all', async () => {
    const limits = { ...FAN_OUT_LIMITS, recentEventsMax: 100, recentEventsCharsMax: 50_000 };
    const lease = await createTopicReaders(live.log, limits).acquire(TOPIC);
    onTestFinished(() => lease.release());
    const numbers: unknown[] = [];
    lease.listen({
      onEntry: (entry) => numbers.push(entry.kind === 'event' && entry.event.data.n),
      onEnd: () => undefined,
    });
    for (let n = 1; n <= 30; n += 1) await live.append(TOPIC, thing(TOPIC, n, { text: 'x'.repeat(10_000) }));
    await expect.poll(() => numbers.length, { timeout: DEADLINE_MS }).toBe(30);
    const { reader } = lease;
    await expect.poll(() => reader.since(reader.oldest()).length, { timeout: DEADLINE_MS }).toBe(4);
    const kept = reader.since(reader.oldest());
    expect(kept.reduce((sum, { chars }) => sum + chars, 0)).toBeLessThanOrEqual(50_000);
    expect(kept.map(({ event }) => event.data.n)).toEqual([27, 28, 29, 30]);
  });
});
