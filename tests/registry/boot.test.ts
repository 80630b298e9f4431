// Row 24 of the fault matrix: a gateway starts from its last good graph, whoever else is dead, and says what is stale.
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { createGraphRig, type GraphRig } from './graph-rig.ts';
import { type StormGateway, startStormGateway } from './storm-gateway.ts';

const READY_MS_MAX = 5_000;
const NOBODY = 'postgresql://postgres@127.0.0.1:1/nothing';

interface Told {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly generation: { readonly id: string };
}

let rig: GraphRig;
let gateways: StormGateway[];
let silent: Server | undefined;
beforeEach(async () => {
  rig = await createGraphRig();
  gateways = [];
});
afterEach(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  silent?.close();
  silent = undefined;
  await rig.close();
});

async function start(more: Readonly<Record<string, string>> = {}): Promise<StormGateway> {
  const gateway = await startStormGateway({ ...rig.env, ...more });
  gateways.push(gateway);
  return gateway;
}

/** Takes connections, and says nothing. */
async function silentPort(): Promise<number> {
  const server = createServer(() => undefined);
  silent = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { readonly port: number }).port;
}

const readyOf = async ({ origin }: StormGateway): Promise<Told> =>
  (await (await fetch(`${origin}/health/ready`)).json()) as Told;

async function ask({ graphql }: StormGateway, query: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(graphql, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return response.json();
}

/** With everything alive: the graph is on the disk afterwards. Returns how long that start took. */
async function startedAlive(): Promise<{ readonly id: string; readonly readyMs: number }> {
  rig.registry.publish(rig.whole);
  const gateway = await start();
  const { generation } = await waitFor('a graph that is not stale', async () => {
    const ready = await readyOf(gateway);
    return !ready.reasons.some((reason) => reason.startsWith('graph:')) && ready;
  });
  return { id: generation.id, readyMs: gateway.readyMs };
}

/** On a machine that is busy otherwise a start takes longer: with all alive as well. */
const isSoon = (readyMs: number, aliveMs: number) => readyMs < Math.max(READY_MS_MAX, 2 * aliveMs);

it('starts from the copy on its disk with registry and database dead, and any of its subgraphs', async () => {
  const alive = await startedAlive();
  await rig.registry.stop();
  const kills: readonly (() => void | Promise<void>)[] = [
    () => undefined,
    () => rig.shops.close(),
    () => {
      rig.hours.fault = { kind: 'silent' };
    },
  ];
  for (const [dead, kill] of kills.entries()) {
    await kill();
    const gateway = await start({ DATABASE_URL: NOBODY });
    expect(isSoon(gateway.readyMs, alive.readyMs), `${gateway.readyMs} ms with ${dead} dead`).toBe(true);
    const ready = await readyOf(gateway);
    expect(ready.status).toBe('degraded');
    expect(ready.generation.id).toBe(alive.id);
    expect(ready.reasons).toEqual([
      'subscriptions: the event log does not answer',
      expect.stringMatching(/^graph: stale since 20\S+Z: the registry does not answer \(publication 1\)$/),
    ]);
    if (dead === 0)
      expect(await ask(gateway, '{ shops { id } }')).toMatchObject({ data: { shops: [{}, {}] } });
    if (dead === 1)
      expect(await ask(gateway, '{ shops { id } now }')).toMatchObject({
        data: { shops: null, now: 'noon' },
        errors: [{ path: ['shops'], extensions: { code: 'UPSTREAM_UNAVAILABLE', system: 'shops' } }],
      });
  }
}, 180_000);

it('starts as soon when registry and database take connections and answer none', async () => {
  const alive = await startedAlive();
  rig.registry.isSilent = true;
  const database = `postgresql://postgres@127.0.0.1:${await silentPort()}/nothing`;
  const gateway = await start({ DATABASE_URL: database });
  expect(isSoon(gateway.readyMs, alive.readyMs), `${gateway.readyMs} ms`).toBe(true);
  const ready = await readyOf(gateway);
  expect(ready.reasons.map((reason) => reason.split(':')[0])).toEqual(['subscriptions', 'graph']);
  expect(await ask(gateway, '{ now }')).toEqual({ data: { now: 'noon' } });
}, 180_000);

it('starts from its files within 5 s of a registry that answers nobody, without a copy', async () => {
  const alive = await startedAlive();
  rig.registry.isSilent = true;
  const gateway = await start({
    WEFT_REGISTRY_CACHE: `${rig.folder}/another`,
    WEFT_SUPERGRAPH_FILE: rig.fileOf(rig.whole),
    DATABASE_URL: NOBODY,
  });
  expect(isSoon(gateway.readyMs, alive.readyMs + 2_000), `${gateway.readyMs} ms`).toBe(true);
  expect((await readyOf(gateway)).reasons.at(-1)).toContain('(from the files of the settings)');
}, 180_000);
