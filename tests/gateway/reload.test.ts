// A supergraph file that changes under a gateway: nothing fails, what is under way ends as it began, a bad file changes nothing.
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { delay } from '@weft/core/deadline';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { compose } from '@weft/schema/compose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createReloadRig, post, type ReloadRig, readyOf, untilReloaded } from './reload-rig.ts';

const RELOADS = 50;
const CLIENTS = 4;
const QUERY = '{ shops { id name opens } }';
const ANSWER = {
  data: {
    shops: [
      { id: '1', name: 'shop 1', opens: 1 },
      { id: '2', name: 'shop 2', opens: 2 },
    ],
  },
};

let rig: ReloadRig;
let gateway: StartedGateway;
beforeEach(async () => {
  rig = await createReloadRig();
  gateway = await rig.start();
});
afterEach(async () => {
  rig.releaseSlow();
  await gateway?.close();
  await rig?.close();
});

/** A graph that asks for a version of a rule that the gateway does not know how to enforce. */
function withAccessRule(): string {
  const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"])
    type Query { secret: String @authenticated }`;
  const { supergraphSdl } = compose([{ name: 'vault', url: 'http://127.0.0.1:1/', sdl }]);
  if (supergraphSdl === undefined) throw new Error('the rule does not compose');
  return supergraphSdl.replace('authenticated/v0.1', 'authenticated/v0.2');
}

describe('a gateway whose supergraph file changes', () => {
  it(`answers every request while the graph is reloaded ${RELOADS} times in a row`, async () => {
    let stop = false;
    const answers = Array.from({ length: CLIENTS }, async () => {
      const wrong: unknown[] = [];
      let right = 0;
      while (!stop) {
        const answer = await post(gateway, QUERY).catch((thrown: unknown) => thrown);
        if (JSON.stringify(answer) === JSON.stringify(ANSWER)) right += 1;
        else wrong.push(answer);
      }
      return { right, wrong };
    });
    let ready = await readyOf(gateway);
    const generations = new Set([ready.generation.id]);
    for (let n = 1; n <= RELOADS; n += 1) {
      rig.replace(n % 2 === 1 ? rig.other : rig.whole);
      ready = await untilReloaded(gateway, ready);
      generations.add(ready.generation.id);
    }
    stop = true;
    const all = await Promise.all(answers);
    expect(all.flatMap(({ wrong }) => wrong)).toEqual([]);
    for (const { right } of all) expect(right).toBeGreaterThan(RELOADS / 2);
    expect(generations.size).toBe(2);
  }, 120_000);

  it('ends an operation in flight on the graph that it began on, and begins new ones on the new', async () => {
    const inFlight = post(gateway, '{ slow }');
    await waitFor('the slow request', () => rig.slowRequests() === 1);
    const before = await readyOf(gateway);
    rig.replace(rig.other);
    await untilReloaded(gateway, before);
    const refused = await post(gateway, '{ slow }');
    expect(refused.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    rig.releaseSlow();
    expect(await inFlight).toEqual({ data: { slow: 'done' } });
    expect(rig.slowRequests()).toBe(1);
  });

  it('cuts off what is still in flight on an old graph when its time is up, with a coded error', async () => {
    await gateway.close();
    gateway = await rig.start({ drainTimeoutMs: 100 });
    const inFlight = post(gateway, '{ slow }');
    await waitFor('the slow request', () => rig.slowRequests() === 1);
    rig.replace(rig.other);
    const { data, errors } = await inFlight;
    expect(data).toEqual({ slow: null });
    expect(errors?.[0]).toMatchObject({ path: ['slow'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } });
    expect(await post(gateway, QUERY)).toEqual(ANSWER);
  });

  it('waits with a further reload while as many old graphs as may be are still ending', async () => {
    await gateway.close();
    gateway = await rig.start({ retiredGenerationsMax: 1 });
    const inFlight = post(gateway, '{ slow }');
    await waitFor('the slow request', () => rig.slowRequests() === 1);
    const before = await readyOf(gateway);
    rig.replace(rig.other);
    const second = await untilReloaded(gateway, before);
    rig.replace(rig.whole);
    const third = gateway.reload();
    for (let n = 0; n < 20; n += 1) expect(await post(gateway, '{ later }')).toMatchObject({ data: {} });
    expect((await readyOf(gateway)).generation).toEqual(second.generation);
    rig.releaseSlow();
    expect(await inFlight).toEqual({ data: { slow: 'done' } });
    await third;
    expect((await readyOf(gateway)).generation.id).toBe(before.generation.id);
  });

  it('plans the operations that were used more than once on the new graph before it serves', async () => {
    for (const query of [QUERY, '{ now }', '{ slow: now }']) {
      await post(gateway, query);
      await post(gateway, query);
    }
    await post(gateway, '{ once: now }');
    rig.replace(`${rig.other}\n# a comment makes another graph`);
    const outcome = await gateway.reload();
    // The watch may have been first; it then found the same three.
    const expected = outcome.kind === 'unchanged' ? { kind: 'unchanged' } : { kind: 'switched', warmed: 3 };
    expect(outcome).toMatchObject(expected);
    expect(await post(gateway, QUERY)).toEqual(ANSWER);
  });

  it.each([
    ['is not GraphQL', () => '<html>', /is not GraphQL SDL: /],
    ['is not a supergraph', () => 'type Query { a: Int }', /no enum join__Graph/],
    [
      'names a graph that there is not',
      () => rig.whole.replaceAll('graph: HOURS', 'graph: NONE'),
      /graph NONE/,
    ],
    ['lacks a type', () => rig.whole.replace('opens: Int', 'opens: Gone'), /Unknown type "Gone"/],
    ['is cut off', () => rig.whole.slice(0, rig.whole.length / 2), /is not GraphQL SDL: /],
    [
      'asks for a rule that is not enforced',
      withAccessRule,
      /asks for .*\/authenticated\/v0\.2 \(for: SECURITY\)/,
    ],
  ])('refuses a file that %s, says why, and serves on', async (_what, text, reason) => {
    const before = await readyOf(gateway);
    rig.replace(text());
    const refused = await waitFor('the refusal', async () => {
      const ready = await readyOf(gateway);
      return ready.refusedReload !== undefined && ready;
    });
    expect(refused.refusedReload?.reason).toMatch(reason);
    expect(refused.refusedReload?.reason).toContain(rig.supergraphFile);
    expect(refused.reasons).toContain('graph: the last reload was refused');
    expect(refused.generation).toEqual(before.generation);
    expect(await post(gateway, QUERY)).toEqual(ANSWER);
    rig.replace(rig.other);
    expect((await untilReloaded(gateway, before)).refusedReload).toBeUndefined();
  });

  it('serves on when the file is gone', async () => {
    rmSync(rig.supergraphFile);
    expect(await gateway.reload()).toEqual({
      kind: 'refused',
      reason: `WEFT_SUPERGRAPH_FILE: ${rig.supergraphFile} cannot be read (ENOENT)`,
    });
    expect(await post(gateway, QUERY)).toEqual(ANSWER);
  });

  it('notices a file that is written to in place', async () => {
    const before = await readyOf(gateway);
    appendFileSync(rig.supergraphFile, '\n# another graph\n');
    expect((await untilReloaded(gateway, before)).generation.loadedAt > before.generation.loadedAt).toBe(
      true,
    );
  });

  it('takes what it was changed to while the first graph was being built', async () => {
    await gateway.close();
    let isStarting = true;
    const starting = rig.start({ debounceMs: 1, pollMs: 2 }).finally(() => {
      isStarting = false;
    });
    for (let n = 0; isStarting; n += 1) {
      rig.replace(n % 2 === 0 ? rig.other : rig.whole);
      await delay(20);
    }
    gateway = await starting;
    rig.replace(rig.other);
    const isOther = async () =>
      (await post(gateway, '{ slow }')).errors?.[0]?.extensions.code === 'GRAPHQL_VALIDATION_FAILED';
    await waitFor('the last graph', isOther);
  });

  it('gives equal graphs equal generations', async () => {
    const first = await readyOf(gateway);
    rig.replace(rig.other);
    const second = await untilReloaded(gateway, first);
    rig.replace(rig.whole);
    expect((await untilReloaded(gateway, second)).generation.id).toBe(first.generation.id);
  });
});

describe('a gateway whose manifest changes', () => {
  it('composes anew when a member is added, and when the SDL of a member changes, and refuses what does not compose', async () => {
    const folder = dirname(rig.supergraphFile);
    const manifest = join(folder, 'manifest.json');
    const write = (members: Readonly<Record<string, string>>) => {
      const subgraphs = Object.keys(members).map((name) => ({
        name,
        url: 'http://127.0.0.1:1/graphql',
        sdlFile: `${name}.graphql`,
      }));
      for (const [name, sdl] of Object.entries(members)) writeFileSync(join(folder, `${name}.graphql`), sdl);
      writeFileSync(manifest, JSON.stringify({ subgraphs }));
    };
    const fieldsOf = async () => {
      const { data } = await post(gateway, '{ __schema { queryType { fields { name } } } }');
      const { __schema } = data as { __schema: { queryType: { fields: { name: string }[] } } };
      return __schema.queryType.fields.map(({ name }) => name).sort();
    };
    write({ one: 'type Query { one: Int }' });
    await gateway.close();
    gateway = await startGateway({
      config: readGatewayConfig({ PORT: '0', WEFT_SUBGRAPHS_FILE: manifest }),
      logger: createLogger('test', 'silent'),
    });
    const first = await readyOf(gateway);
    write({ one: 'type Query { one: Int }', two: 'type Query { two: Int }' });
    const second = await untilReloaded(gateway, first);
    expect(await fieldsOf()).toEqual(['one', 'two']);
    writeFileSync(join(folder, 'two.graphql'), 'type Query { three: Int }');
    await untilReloaded(gateway, second);
    expect(await fieldsOf()).toEqual(['one', 'three']);
    writeFileSync(join(folder, 'two.graphql'), 'type Query { one: String }');
    const reason = await waitFor('the refusal', async () => (await readyOf(gateway)).refusedReload?.reason);
    expect(reason).toMatch(/the graph does not compose:\n {2}.*one, two: Query\.one: /);
    expect(await fieldsOf()).toEqual(['one', 'three']);
  });
});
