// A gateway whose graph is the registry's: taken, believed by signature, kept on the disk, and served whoever is away.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartedGateway } from '@weft/gateway/start';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { post, readyOf } from '../gateway/reload-rig.ts';
import { waitFor } from '../support/wait.ts';
import { aboutGraph, createGraphRig, type GraphRig, untilReady } from './graph-rig.ts';
import { type Signed, startScriptedRegistry } from './scripted-registry.ts';

const NOW = { data: { now: 'noon' } };
const LATER = { data: { later: 'evening' } };

let rig: GraphRig;
let gateway: StartedGateway | undefined;
beforeEach(async () => {
  rig = await createGraphRig();
  gateway = undefined;
});
afterEach(async () => {
  await gateway?.close();
  await rig.close();
});

async function start(...options: Parameters<GraphRig['start']>): Promise<StartedGateway> {
  gateway = await rig.start(...options);
  return gateway;
}

const isCurrent = (given: StartedGateway) =>
  untilReady(given, 'a graph that is not stale', (ready) => aboutGraph(ready).length === 0);
const copyOf = (): Signed => JSON.parse(readFileSync(join(rig.cache, 'current.json'), 'utf8'));

/** With a copy of `whole` on the disk, as publication 1. */
async function withCopy(): Promise<void> {
  rig.registry.publish(rig.whole);
  await isCurrent(await start());
  await gateway?.close();
}

describe('a gateway that takes its graph from the registry', () => {
  it('serves what is published, by signed requests, and the next publication soon', async () => {
    rig.registry.publish(rig.whole);
    const served = await start();
    expect(await post(served, '{ now }')).toEqual(NOW);
    const first = await isCurrent(served);
    rig.registry.publish(rig.other);
    await untilReady(served, 'the next', ({ generation }) => generation.id !== first.generation.id);
    expect(await post(served, '{ later }')).toEqual(LATER);
    expect(rig.registry.unsigned).toEqual([]);
  });

  it('says what it has, and is not sent that again', async () => {
    rig.registry.publish(rig.whole);
    await start();
    const { hash } = rig.registry.signed();
    await waitFor('two more questions', () => rig.registry.questions.length >= 3);
    expect(rig.registry.questions.slice(0, 3)).toEqual([null, hash, hash]);
  });

  it('keeps what it serves on the disk, as it was signed, and nothing beside', async () => {
    rig.registry.publish(rig.whole);
    await start();
    await waitFor('the copy', () => readdirSync(rig.cache).length === 1 && copyOf().publication === 1);
    expect(copyOf()).toEqual(rig.registry.signed());
    rig.registry.publish(rig.other);
    await waitFor('the next copy', () => copyOf().publication === 2);
    expect(readdirSync(rig.cache)).toEqual(['current.json']);
  });

  it('serves the files until the registry is reached, and says so', async () => {
    await rig.registry.stop();
    const served = await start({ WEFT_SUPERGRAPH_FILE: rig.fileOf(rig.other) });
    const stale = await readyOf(served);
    expect(aboutGraph(stale)[0]).toMatch(/^graph: stale since .*\(from the files of the settings\)$/);
    expect(stale.status).toBe('degraded');
    rig.registry.publish(rig.whole);
    await rig.registry.start();
    await isCurrent(served);
    expect(await post(served, '{ now }')).toEqual(NOW);
  });

  it('goes on when a number is published for the graph that it has, and takes nothing below it', async () => {
    rig.registry.publish(rig.whole);
    const served = await start();
    rig.registry.publish(rig.whole, 7);
    await waitFor('the number on the disk', () => copyOf().publication === 7);
    expect((await readyOf(served)).generation.publication).toBe(7);
    rig.registry.publish(rig.other, 6);
    const { refusedReload } = await untilReady(
      served,
      'a refusal',
      (ready) => ready.refusedReload !== undefined,
    );
    expect(refusedReload?.reason).toContain('publication 6 is below 7, which is served');
    expect(await post(served, '{ now }')).toEqual(NOW);
    rig.registry.publish(rig.other, 8);
    await isCurrent(served);
    expect(await post(served, '{ later }')).toEqual(LATER);
  });
});

describe('a graph of the registry that does not hold', () => {
  const wrongs: readonly (readonly [string, (signed: Signed, foreign: Signed) => unknown, RegExp])[] = [
    ['is signed by another', (_signed, foreign) => ({ ...foreign, publication: 2 }), /signature is of none/],
    [
      'has a later number than was signed',
      (signed) => ({ ...signed, publication: 99 }),
      /signature is of none/,
    ],
    [
      'is of another variant',
      (signed) => ({ ...signed, variant: 'staff' }),
      /graph variant "staff", not current/,
    ],
    [
      'has another payload than was signed',
      (signed) => ({ ...signed, payload: signed.payload?.replace('noon', 'night').concat(' ') }),
      /does not have the hash that is signed/,
    ],
    ['comes without its payload', (signed) => ({ ...signed, payload: null }), /comes without its graph/],
    ['has no signature', (signed) => ({ ...signed, signature: '' }), /signature is of none/],
  ];

  it.each(wrongs)('changes nothing where it %s, and stands in readiness', async (_what, tamper, reason) => {
    const foreign = await startScriptedRegistry();
    foreign.publish(rig.other);
    await foreign.stop();
    rig.registry.publish(rig.whole);
    const served = await start();
    await isCurrent(served);
    rig.registry.tamper = (signed) => tamper({ ...signed }, foreign.signed());
    rig.registry.publish(rig.other);
    const ready = await untilReady(served, 'a refusal', ({ refusedReload }) => refusedReload !== undefined);
    expect(ready.refusedReload?.reason).toMatch(reason);
    expect(ready.reasons).toContain('graph: the last reload was refused');
    expect(await post(served, '{ now }')).toEqual(NOW);
    await waitFor('the copy', () => copyOf().publication === 1);
    rig.registry.tamper = undefined;
    await isCurrent(served);
    expect(await post(served, '{ later }')).toEqual(LATER);
  });

  it('changes nothing where it is signed and cannot be served, is asked for once, and gives way to the next', async () => {
    rig.registry.publish(rig.whole);
    const served = await start();
    await isCurrent(served);
    rig.registry.publish({ ...rig.other, supergraphSdl: 'type Query { a: Int }' });
    const bad = rig.registry.signed().hash;
    const ready = await untilReady(served, 'a refusal', ({ refusedReload }) => refusedReload !== undefined);
    expect(ready.refusedReload?.reason).toContain('no enum join__Graph');
    await waitFor(
      'questions that have it',
      () => rig.registry.questions.filter((have) => have === bad).length > 2,
    );
    expect((await readyOf(served)).refusedReload).toEqual(ready.refusedReload);
    expect(await post(served, '{ now }')).toEqual(NOW);
    expect(copyOf().publication).toBe(1);
    rig.registry.publish(rig.other);
    await isCurrent(served);
  });

  it('is told no longer when the registry is back at the graph that is served', async () => {
    rig.registry.publish(rig.whole);
    const served = await start();
    rig.registry.publish({ ...rig.other, supergraphSdl: 'no graph' });
    await untilReady(served, 'a refusal', ({ refusedReload }) => refusedReload !== undefined);
    rig.registry.publish(rig.whole);
    await isCurrent(served);
  });
});

describe('a gateway that starts while the registry is away', () => {
  it('serves the copy on the disk at once, says since when it is stale, and is not any more when it is reached', async () => {
    await withCopy();
    await rig.registry.stop();
    const startedAt = performance.now();
    const served = await start({ WEFT_SUPERGRAPH_FILE: rig.fileOf(rig.other) });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await post(served, '{ now }')).toEqual(NOW);
    const ready = await readyOf(served);
    expect(ready.status).toBe('degraded');
    expect(aboutGraph(ready)[0]).toMatch(/^graph: stale since 20\S+Z: .*\(publication 1\)$/);
    await rig.registry.start();
    await isCurrent(served);
  });

  it('does not wait for one that takes connections and never answers', async () => {
    rig.registry.isSilent = true;
    const startedAt = performance.now();
    const served = await start({ WEFT_SUPERGRAPH_FILE: rig.fileOf(rig.whole) });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await post(served, '{ now }')).toEqual(NOW);
  });

  it.each([
    ['was changed', (text: string) => text.replace('shops', 'shopz')],
    [
      'has another number than was signed',
      (text: string) => text.replace('"publication":1', '"publication":9'),
    ],
    ['was cut off', (text: string) => text.slice(0, text.length / 2)],
  ])('does not believe a copy that %s', async (_what, damage) => {
    await withCopy();
    await rig.registry.stop();
    const file = join(rig.cache, 'current.json');
    writeFileSync(file, damage(readFileSync(file, 'utf8')));
    const served = await start({ WEFT_SUPERGRAPH_FILE: rig.fileOf(rig.other) });
    expect(aboutGraph(await readyOf(served))[0]).toContain('(from the files of the settings)');
  });

  it('does not start without a copy and without files, and names what it tried', async () => {
    await rig.registry.stop();
    await expect(start()).rejects.toThrow(/the registry does not answer \(ECONNREFUSED\)/);
  });

  it('says that it is stale when the registry has been away for long', async () => {
    rig.registry.publish(rig.whole);
    const served = await start({}, { staleAfterMs: 100 });
    await isCurrent(served);
    await rig.registry.stop();
    await untilReady(served, 'staleness', (ready) => aboutGraph(ready).length > 0);
    expect(await post(served, '{ now }')).toEqual(NOW);
    await rig.registry.start();
    await isCurrent(served);
  });
});
