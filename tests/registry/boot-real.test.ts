// Row 24 of the fault matrix, with the copy that the registry's own process has signed: registry, database and any of the systems are dead.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTcpGate, type TcpGate } from '../connectors/tcp-gate.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { createMigratedDatabase } from '../support/owned-subgraphs.ts';
import { type RefusedPort, refusePort } from '../support/refused-port.ts';
import { waitFor } from '../support/wait.ts';
import { askGateway } from './parking.ts';
import { type RealRegistry, startRealRegistry } from './real-registry.ts';
import { type StormGateway, startStormGateway } from './storm-gateway.ts';

const READY_MS_MAX = 5_000;
const TURNS_MAX = 3;
const NAMES = ['archives', 'bridges', 'clinics'];
const ALL = `{ ${NAMES.join(' ')} }`;
const noPostgres = await whyNoPostgres();

interface Told {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly generation: { readonly id: string; readonly publication: number };
}

describe.skipIf(noPostgres !== undefined)('a start from the copy of the registry', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-boot-'));
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let gate: TcpGate;
  let registry: RealRegistry;
  let systems: readonly SubgraphServer[];
  /** Those of the first systems, which are dead. */
  const refused: RefusedPort[] = [];
  let env: Readonly<Record<string, string>>;
  let supergraphFile: string;
  let alive: Told;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    const { hostname, port } = new URL(database.url);
    gate = await startTcpGate(hostname, Number(port || 5432));
    const databaseUrl = new URL(database.url);
    databaseUrl.host = `127.0.0.1:${gate.port}`;
    const sdlOf = (name: string) => `type Query { ${name}: String }`;
    systems = await Promise.all(
      NAMES.map((name) => startSubgraph(name, sdlOf(name), { Query: { [name]: () => `the ${name}` } })),
    );
    const hosts = systems.map(({ url }) => new URL(url).host);
    registry = await startRealRegistry({ folder, databaseUrl: databaseUrl.href, hosts });
    await registry.publish(systems);
    env = {
      ...registry.env,
      DATABASE_URL: databaseUrl.href,
      WEFT_REGISTRY_CACHE: join(folder, 'cache'),
    };
    alive = await startedAlive();
    const { payload } = JSON.parse(readFileSync(join(folder, 'cache', 'current.json'), 'utf8'));
    supergraphFile = join(folder, 'supergraph.graphql');
    writeFileSync(supergraphFile, JSON.parse(payload).supergraphSdl);
    await registry.kill();
    await gate.close();
  }, 180_000);
  afterAll(async () => {
    await registry?.close();
    await Promise.all(refused.map((port) => port.release()));
    await Promise.all((systems ?? []).map((system) => system.close()));
    await database?.drop();
    rmSync(folder, { recursive: true });
  }, 60_000);

  const readyOf = async ({ origin }: StormGateway) =>
    (await (await fetch(`${origin}/health/ready`)).json()) as Told;

  /** The graph is on the disk afterwards. */
  async function startedAlive(): Promise<Told> {
    const gateway = await startStormGateway(env);
    const told = await waitFor('a graph that is not stale', async () => {
      const ready = await readyOf(gateway);
      return ready.status === 'ready' && ready;
    });
    expect(await askGateway(gateway.graphql, ALL)).toMatchObject({ data: { clinics: 'the clinics' } });
    await gateway.stop();
    return told;
  }

  /** Milliseconds that a gateway takes which has its graph in a file and asks nobody. */
  async function fromFileMs(): Promise<number> {
    const { WEFT_KEYS_FILE = '' } = env;
    const gateway = await startStormGateway({ WEFT_KEYS_FILE, WEFT_SUPERGRAPH_FILE: supergraphFile });
    await gateway.stop();
    return gateway.readyMs;
  }

  /** On a machine that is busy otherwise every start takes longer: so does one from a file, just before. */
  async function startSoon(): Promise<StormGateway> {
    for (let turn = 1; ; turn += 1) {
      const barMs = Math.max(READY_MS_MAX, 2 * (await fromFileMs()));
      const gateway = await startStormGateway(env);
      if (gateway.readyMs < barMs) return gateway;
      await gateway.stop();
      if (turn === TURNS_MAX)
        throw new Error(`ready after ${gateway.readyMs} ms, where ${barMs} ms were allowed`);
    }
  }

  it.each([0, 1, 2, 3])(
    'is ready within 5 s and says what is stale, with %i of 3 systems dead',
    async (dead) => {
      for (const { url, close } of systems.slice(refused.length, dead)) {
        await close();
        refused.push(await refusePort(Number(new URL(url).port)));
      }
      const gateway = await startSoon();
      try {
        const ready = await readyOf(gateway);
        expect(ready).toMatchObject({ status: 'degraded', generation: { id: alive.generation.id } });
        expect(ready.reasons).toEqual([
          'subscriptions: the event log does not answer',
          expect.stringMatching(
            /^graph: stale since 20\S+Z: the registry does not answer \(publication 1\)$/,
          ),
        ]);
        const answer = await askGateway(gateway.graphql, ALL);
        const expected = NAMES.map((name, n) => [name, n < dead ? null : `the ${name}`]);
        expect(answer.data).toEqual(Object.fromEntries(expected));
        expect((answer.errors ?? []).map(({ extensions }) => extensions)).toEqual(
          NAMES.slice(0, dead).map((system) =>
            expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE', system }),
          ),
        );
        console.info(`ready after ${Math.round(gateway.readyMs)} ms with ${dead} of ${NAMES.length} dead`);
      } finally {
        await gateway.stop();
      }
    },
    240_000,
  );
});
