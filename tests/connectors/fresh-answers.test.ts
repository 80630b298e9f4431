// Answers that are given again, on both stores: this process's memory, and Redis for all replicas.
import {
  type Answered,
  createFreshAnswers,
  type FreshAnswers,
  type Question,
  recordGroup,
  sourceGroup,
} from '@weft/connectors/freshness/fresh-answers';
import { createMemoryStore } from '@weft/connectors/freshness/memory-store';
import { openRedisStore } from '@weft/connectors/freshness/redis-store';
import type { FreshStore } from '@weft/connectors/freshness/store';
import { HubError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRedis, type EventServer, startRedis, whyNoProgram } from '../support/event-servers.ts';
import { waitFor } from '../support/wait.ts';

const skipReason = whyNoProgram('redis-server');
const logger = createLogger('fresh-test', 'silent');
const FRESHNESS = { maxAgeMs: 60_000, staleIfErrorMs: 600_000, scope: 'SHARED', sdlHash: 'h' } as const;
const away = () => new HubError('UPSTREAM_UNAVAILABLE', 'away', { system: 'city' });
let number = 0;

interface Asked extends Question {
  readonly calls: (readonly string[])[];
}

/** A question of a type of its own, whose source is a function. */
function question(
  keys: readonly string[],
  source: (keys: readonly string[]) => Promise<ReadonlyMap<string, readonly object[]>> = answering('v'),
  more: Partial<Question> = {},
): Asked {
  const calls: (readonly string[])[] = [];
  const ask = (some: readonly string[]) => {
    calls.push(some);
    return source(some) as ReturnType<Question['ask']>;
  };
  return {
    system: 'city',
    source: 'api',
    coordinate: `T${number}`,
    freshness: FRESHNESS,
    asker: 'somebody',
    signal: new AbortController().signal,
    keys,
    recordOf: (key) => ({ type: 'T', key }),
    mayKeep: () => true,
    mayBeStale: () => true,
    ...more,
    calls,
    ask,
  };
}

function answering(value: string) {
  return async (keys: readonly string[]) => new Map(keys.map((key) => [key, [{ id: key, value }]]));
}

const states = (answers: ReadonlyMap<string, Answered>) =>
  [...answers].map(([key, { state }]) => [key, state]);
const rowsOf = (answers: ReadonlyMap<string, Answered>, key: string) => answers.get(key)?.rows;

function suite(open: () => FreshAnswers): void {
  const fresh = () => {
    number += 1;
    return open();
  };

  it('asks for the keys that are not fresh, and for no others', async () => {
    const answers = fresh();
    await answers.answer(question(['1', '2']));
    const asked = question(['1', '2', '3']);
    expect(states(await answers.answer(asked))).toEqual([
      ['1', 'CACHED'],
      ['2', 'CACHED'],
      ['3', 'FRESH'],
    ]);
    expect(asked.calls).toEqual([['3']]);
  });

  it('keeps what one user got from others, and what nobody got from everybody', async () => {
    const answers = fresh();
    const freshness = { ...FRESHNESS, scope: 'PER_USER' } as const;
    const as = (asker: string | undefined) => question(['1'], answering(String(asker)), { freshness, asker });
    await answers.answer(as('one'));
    await answers.answer(as(undefined));
    const other = as('other');
    expect(rowsOf(await answers.answer(other), '1')).toEqual([{ id: '1', value: 'other' }]);
    expect(states(await answers.answer(as('one')))).toEqual([['1', 'CACHED']]);
    const nobody = as(undefined);
    expect(states(await answers.answer(nobody))).toEqual([['1', 'FRESH']]);
    expect(nobody.calls).toHaveLength(1);
  });

  it('gives what is old, with its age and the reason, when the source is away, and not for a business error', async () => {
    const answers = fresh();
    const old = { freshness: { ...FRESHNESS, maxAgeMs: 1 } };
    await answers.answer(question(['1'], answering('old'), old));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const failing = (error: HubError) => question(['1', '2'], () => Promise.reject(error), old);
    const stale = await answers.answer(failing(away()));
    expect(stale.get('1')).toMatchObject({ state: 'STALE', reason: 'UPSTREAM_UNAVAILABLE' });
    expect(stale.get('1')?.ageMs).toBeGreaterThan(0);
    expect(rowsOf(stale, '2')).toEqual([expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE' })]);
    const business = new HubError('UPSTREAM_INVALID', 'no', { system: 'city' });
    expect(rowsOf(await answers.answer(failing(business)), '1')).toEqual([business]);
    const quiet = new HubError('UPSTREAM_UNAVAILABLE', 'x', {
      system: 'city',
      details: { quiet: '02:00-03:00' },
    });
    expect((await answers.answer(failing(quiet))).get('1')).toMatchObject({
      state: 'STALE',
      reason: 'QUIET',
    });
  });

  it('gives nothing any more that a change or a write has dropped, also when it was asked for before and came after', async () => {
    const answers = fresh();
    await answers.answer(question(['1', '2']));
    await answers.drop([recordGroup('city', 'T', '1')], 60_000);
    expect(states(await answers.answer(question(['1', '2'])))).toEqual([
      ['2', 'CACHED'],
      ['1', 'FRESH'],
    ]);
    const gate = Promise.withResolvers<void>();
    const slow = question(['9'], async (keys) => {
      await gate.promise;
      return answering('before')(keys);
    });
    const first = answers.answer(slow);
    await waitFor('the source to be asked', () => slow.calls.length === 1);
    await answers.drop([sourceGroup('city', 'api')], 60_000);
    gate.resolve();
    await first;
    expect(rowsOf(await answers.answer(question(['9'], answering('after'))), '9')).toEqual([
      { id: '9', value: 'after' },
    ]);
  });

  it('asks once for what many want at once, and goes on when the first of them leaves', async () => {
    const answers = fresh();
    const gate = Promise.withResolvers<void>();
    const slow = async (keys: readonly string[]) => {
      await gate.promise;
      return answering('v')(keys);
    };
    const leaving = new AbortController();
    const first = question(['1', '2'], slow, { signal: leaving.signal });
    const others = Array.from({ length: 20 }, () => question(['2', '3'], slow));
    const running = [first, ...others].map((each) => answers.answer(each));
    await waitFor('the source to be asked', () => first.calls.length === 1);
    leaving.abort();
    await expect(running[0]).rejects.toMatchObject({ code: 'CANCELLED' });
    gate.resolve();
    await Promise.all(running.slice(1));
    expect(others.flatMap(({ calls }) => calls)).toEqual([['3']]);
  });

  it.each(['*', '__proto__', 'A'.repeat(20_000)])('takes %.12s for a key like all others', async (key) => {
    const answers = fresh();
    await answers.answer(question([key], answering(key)));
    const again = await answers.answer(question([key]));
    expect(rowsOf(again, key)).toEqual([{ id: key, value: key }]);
    expect(states(await answers.answer(question(['other'])))).toEqual([['other', 'FRESH']]);
  });
}

describe('answers in the memory of one process', () => {
  suite(() => createFreshAnswers(createMemoryStore()));

  it('are bounded in number and in bytes: the longest unused go first', async () => {
    const answers = createFreshAnswers(createMemoryStore({ entriesMax: 3, bytesMax: 1_000 }));
    number += 1;
    for (const key of ['1', '2', '3']) await answers.answer(question([key]));
    await answers.answer(question(['1']));
    await answers.answer(question(['4']));
    expect(states(await answers.answer(question(['1', '3', '4']))).map(([, state]) => state)).toEqual(
      Array(3).fill('CACHED'),
    );
    expect(states(await answers.answer(question(['2'])))).toEqual([['2', 'FRESH']]);
    await answers.answer(question(['5'], answering('x'.repeat(400))));
    expect(states(await answers.answer(question(['1'])))).toEqual([['1', 'FRESH']]);
  });
});

describe.skipIf(skipReason !== undefined)('answers in Redis', () => {
  let redis: EventServer;
  let stores: FreshStore[];
  beforeAll(async () => {
    redis = await startRedis();
    stores = [openRedisStore(redis.url, logger), openRedisStore(redis.url, logger)];
    const place = { entry: 'x', groups: ['y', 'z'] } as const;
    await waitFor('both to reach Redis', async () => {
      for (const store of stores)
        await store.write([{ place, rows: [{ a: 1 }], observedAtMs: Date.now(), lifeMs: 1_000 }]);
      return Number(await askRedis(redis.url, 'EXISTS', '{weft:fresh}:entry:x')) === 1;
    });
  });
  afterAll(async () => {
    for (const store of stores ?? []) await store.close();
    await redis?.stop();
  });
  const replica = (index: 0 | 1) => createFreshAnswers(stores[index] as FreshStore);

  suite(() => replica(0));

  it('are those of all replicas, and are dropped for all', async () => {
    number += 1;
    const [one, other] = [replica(0), replica(1)];
    await one.answer(question(['1']));
    expect(states(await other.answer(question(['1'])))).toEqual([['1', 'CACHED']]);
    await other.drop([recordGroup('city', 'T', '1')], 60_000);
    expect(states(await one.answer(question(['1'])))).toEqual([['1', 'FRESH']]);
  });

  it('are asked for by one replica while the others wait', async () => {
    number += 1;
    const gate = Promise.withResolvers<void>();
    const slow = async (keys: readonly string[]) => {
      await gate.promise;
      return answering('v')(keys);
    };
    const first = question(['1', '2'], slow);
    const second = question(['2', '3'], slow);
    const one = replica(0).answer(first);
    await waitFor('the first to ask', () => first.calls.length === 1);
    const other = replica(1).answer(second);
    await waitFor('the other to ask', () => second.calls.length === 1);
    gate.resolve();
    await one;
    expect((await other).get('2')).toMatchObject({ state: 'CACHED', rows: [{ id: '2' }] });
    expect(second.calls).toEqual([['3']]);
  });

  it('have no key, name or argument in the names of their keys', async () => {
    const keys = (await askRedis(redis.url, 'KEYS', '*')) as readonly string[];
    expect(keys.length).toBeGreaterThan(5);
    for (const key of keys.filter((each) => !each.endsWith(':x')))
      expect(key).toMatch(/^\{weft:fresh\}:(?:entry|dropped|asked):[0-9a-f]{40}$/);
  });

  it('come from memory while Redis is away, and what was dropped meanwhile is not given when it is back', async () => {
    number += 1;
    const answers = replica(0);
    await answers.answer(question(['1', '2']));
    await redis.signal('SIGKILL');
    const startedAtMs = performance.now();
    expect(states(await answers.answer(question(['1'])))).toEqual([['1', 'CACHED']]);
    await answers.drop([recordGroup('city', 'T', '1')], 60_000);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    await redis.restart();
    expect(states(await answers.answer(question(['1'])))).toEqual([['1', 'FRESH']]);
    const other = replica(1);
    await waitFor('the other to be told', async () => {
      const place = { entry: 'nothing', groups: [recordGroup('city', 'T', '1'), ''] } as const;
      await (stores[0] as FreshStore).read([place]);
      const dropped = await askRedis(redis.url, 'EXISTS', `{weft:fresh}:dropped:${place.groups[0]}`);
      return Number(dropped) === 1;
    });
    expect(rowsOf(await other.answer(question(['1'], answering('new'))), '1')).toEqual([
      { id: '1', value: expect.any(String) },
    ]);
  });
});
