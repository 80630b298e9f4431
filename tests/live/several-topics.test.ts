// A live field over several topics, from its SDL to the cursor with which another gateway goes on.
import { createLogger } from '@weft/core/logger';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { createEventStreams, type EventStreams } from '@weft/gateway/subscribe/event-streams';
import { compose } from '@weft/schema/compose';
import type { ExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type LiveLog, openLiveLog, thing } from './live-log.ts';

const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const sdlOf = (
  topic: string,
) => `${FEDERATION}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { any: Int }
type Subscription { anyChanged(after: Cursor): AnyChanged! @eventStream(topic: ${topic}, message: "{ n }") }
type AnyChanged implements Resumable { cursor: Cursor! gap: Gap n: Int }
`;
const ANY_CHANGED = 'subscription ($after: Cursor) { anyChanged(after: $after) { cursor n gap { reason } } }';
const EVENTS = 20;

let live: LiveLog;
let subgraph: SubgraphServer;
let engine: GatewayEngine;
beforeAll(async () => {
  live = await openLiveLog();
  const served = `${FEDERATION}type Query { any: Int }`;
  subgraph = await startSubgraph('any', sdlOf('["lamp", "bench"]'), { Query: { any: () => 1 } }, served);
  const composed = compose([{ name: 'any', url: subgraph.url, sdl: subgraph.sdl }]);
  if (composed.supergraphSdl === undefined) throw new Error(JSON.stringify(composed.errors));
  engine = createEngine({ supergraphSdl: composed.supergraphSdl, logger: createLogger('test', 'silent') });
});
afterAll(async () => {
  await engine?.close();
  await subgraph?.close();
  await live?.close();
});

/** As a gateway of its own has them. */
function openStreams(): EventStreams {
  const keyRing = [{ id: 'k1', secret: 's'.repeat(32) }] as const;
  return createEventStreams({ log: live.log, engine, keyRing, logger: createLogger('test', 'silent') });
}

interface Told {
  readonly cursor: string;
  readonly n: number | null;
  readonly gap: { readonly reason: string } | null;
}

/** Reads until so many came. @param began called when the subscriber stands in the stream */
async function take(
  count: number,
  after: string | undefined,
  began: () => Promise<void> = async () => undefined,
) {
  const streams = openStreams();
  const prepared = await engine.prepare(ANY_CHANGED, undefined, ANONYMOUS);
  if ('errors' in prepared) throw prepared.errors[0];
  const stop = new AbortController();
  const context = { signal: stop.signal, traceId: '0'.repeat(32), principal: ANONYMOUS };
  const results = streams.subscribe(prepared, after === undefined ? {} : { after }, context);
  const told: Told[] = [];
  const first = results.next();
  if (after === undefined) await expect.poll(() => streams.liveSubscribers(), { timeout: 15_000 }).toBe(1);
  // Not waited for: who does not read meanwhile is a slow client.
  const appended = began();
  for (let next = await first; next.done !== true; next = await results.next()) {
    told.push((next.value as ExecutionResult<{ anyChanged: Told }>).data?.anyChanged as Told);
    if (told.length === count) break;
  }
  await appended;
  stop.abort();
  return told;
}

describe('a live field over several topics', () => {
  it('brings the events of all in one order, and goes on behind each on another gateway', async () => {
    const told = await take(EVENTS, undefined, async () => {
      for (let n = 1; n <= EVENTS; n += 1) {
        const topic = n % 3 === 0 ? 'bench' : 'lamp';
        await live.append(topic, thing(topic, n));
      }
    });
    const numbers = Array.from({ length: EVENTS }, (_, index) => index + 1);
    expect(told.map(({ n }) => n)).toEqual(numbers);
    for (const at of [0, 1, 2, 7, EVENTS - 2]) {
      const rest = await take(EVENTS - at - 1, told[at]?.cursor);
      expect(rest.map(({ n }) => n)).toEqual(numbers.slice(at + 1));
    }
  });

  it('tells what one of them retains no more, and brings the other whole', async () => {
    const [first] = await take(1, undefined, () => live.append('lamp', thing('lamp', 100)));
    await live.append('bench', thing('bench', 101));
    await live.append('lamp', thing('lamp', 102));
    await live.append('bench', thing('bench', 103));
    // What is still open elsewhere on the server holds the end of the log back, and what is not read is not trimmed.
    await take(3, first?.cursor);
    await expect.poll(() => live.log.trim('lamp', 0), { timeout: 15_000 }).toBeGreaterThan(0);
    const told = await take(3, first?.cursor);
    expect(told.map(({ n, gap }) => gap?.reason ?? n)).toEqual(['RETENTION', 101, 103]);
    expect((await take(2, told[0]?.cursor)).map(({ n }) => n)).toEqual([101, 103]);
  });

  it('is refused by composition where a topic is empty, has a comma, or they are too many', () => {
    const problemOf = (topic: string) => {
      const { errors } = compose([{ name: 'any', url: 'http://127.0.0.1:1/', sdl: sdlOf(topic) }]);
      return errors?.map(({ message }) => message).join();
    };
    expect(problemOf('[]')).toContain('@eventStream needs a topic');
    expect(problemOf('["lamp", "a,b"]')).toContain('a name without a comma, got a,b');
    const many = Array.from({ length: 9 }, (_, n) => `"t${n}"`);
    expect(problemOf(`[${many.join()}]`)).toContain('expected at most 8, got 9');
  });
});
