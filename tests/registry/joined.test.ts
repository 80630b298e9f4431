// A gateway over the real registry: what it tells of use decides what is let in, and what it finds of systems is shown.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { PUBLISH, publisher, type SignedRegistry, startRegistry } from './signed-registry.ts';

const noPostgres = await whyNoPostgres();
const PARKS = publisher('parks-office');
const SDL = 'type Query { parks(first: Int): [Park] broken: Int } type Park { name: String area: Int }';
const SHOWN_MS_MAX = 60_000;

interface Shown {
  readonly errorRate: number | null;
  readonly latency: { readonly p50Ms: number | null; readonly p99Ms: number | null } | null;
  readonly drift: { readonly since: string; readonly differences: readonly string[] } | null;
}

describe.skipIf(noPostgres !== undefined)('a gateway over the registry', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-joined-'));
  let parks: SubgraphServer;
  let registry: SignedRegistry;
  let gateway: StartedGateway;
  beforeAll(async () => {
    const broken = () => {
      throw new Error('it fails');
    };
    parks = await startSubgraph('parks', SDL, {
      Query: { parks: () => [{ name: 'West', area: 3 }], broken },
    });
    const { host } = new URL(parks.url);
    registry = await startRegistry({ hosts: [host] });
    expect((await publish(SDL)).errors).toBeUndefined();
    const [keys, publicKeys] = [join(folder, 'keys.json'), join(folder, 'registry.pub.pem')];
    writeFileSync(keys, JSON.stringify({ subgraphKeys: [registry.key] }));
    writeFileSync(publicKeys, registry.publicKey.export({ type: 'spki', format: 'pem' }));
    gateway = await startGateway({
      config: readGatewayConfig({
        PORT: '0',
        WEFT_KEYS_FILE: keys,
        WEFT_REGISTRY_URL: registry.url,
        WEFT_REGISTRY_PUBLIC_KEYS_FILE: publicKeys,
        WEFT_REGISTRY_ALLOWED_HOSTS: host,
      }),
      logger: createLogger('test', 'silent'),
      usageLimits: { reportMs: 100 },
      driftLimits: { lookMs: 100 },
    });
  }, 90_000);
  afterAll(async () => {
    await gateway?.close();
    await registry?.close();
    await parks?.close();
    rmSync(folder, { recursive: true });
  }, 60_000);

  const publish = (sdl: string) =>
    registry.as(PARKS, PUBLISH, {
      input: { register: [{ name: 'parks' }], versions: [{ system: 'parks', sdl, url: parks.url }] },
    });
  const ask = async (query: string) => {
    const response = await fetch(gateway.urls.graphql ?? '', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'apollographql-client-name': 'board',
        'apollographql-client-version': '2.0',
      },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as { readonly errors?: readonly unknown[] };
  };
  const shown = async () => {
    const query =
      '{ system(name: "parks") { errorRate latency { p50Ms p99Ms } drift { since differences } } }';
    return (await registry.data<{ system: Shown }>(PARKS, query)).system;
  };
  const told = async () => {
    const { rows } = await registry.database.client.query<{ told: unknown }>(
      `SELECT envelope->'data' AS told FROM events.event
       WHERE topic = 'system' AND id LIKE 'parks:drift:%' ORDER BY seq`,
    );
    return rows.map((row) => row.told);
  };

  it('shows how long a system takes to answer, and how often it fails', async () => {
    expect(await ask('query Areas { parks(first: 1) { area } }')).not.toHaveProperty('errors');
    const { latency, errorRate } = await waitFor(
      'latency and error rate',
      async () => {
        const system = await shown();
        return system.latency?.p50Ms != null && system.errorRate === 0 && system;
      },
      SHOWN_MS_MAX,
    );
    expect(latency?.p99Ms).toBeGreaterThanOrEqual(latency?.p50Ms ?? Number.NaN);
    expect(errorRate).toBe(0);
    parks.fault = { kind: 'status', status: 500, body: 'no' };
    expect((await ask('{ broken }')).errors).toHaveLength(1);
    parks.fault = undefined;
    await waitFor('a failure', async () => ((await shown()).errorRate ?? 0) > 0, SHOWN_MS_MAX);
  }, 120_000);

  it('has what it was asked protect what it was asked', async () => {
    const answer = await publish(SDL.replace(' area: Int', ''));
    expect(answer.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/^Park\.area: .*; Areas of board 2\.0 used it last at 20/),
      extensions: { code: 'CHECK_FAILED' },
    });
    expect((await publish(SDL.replace('name: String ', ''))).errors).toBeUndefined();
    expect((await publish(SDL)).errors).toBeUndefined();
  }, 60_000);

  it('shows within a minute, and tells, that a live system serves another schema than is registered, and that it does not any more', async () => {
    expect((await shown()).drift).toBeNull();
    parks.fault = {
      kind: 'rewrite',
      rewrite: (body: string) => body.replaceAll('area: Int', 'size: Int'),
    };
    const drift = await waitFor('the drift', async () => (await shown()).drift ?? false, SHOWN_MS_MAX);
    expect(drift).toEqual({
      since: expect.stringMatching(/^20/),
      differences: ['Park.area is not there', 'Park.size is new'],
    });
    expect(await told()).toMatchObject([{ system: { name: 'parks' }, change: { state: 'UNKNOWN' } }]);
    parks.fault = undefined;
    await waitFor('its end', async () => (await shown()).drift === null, SHOWN_MS_MAX);
    expect(await told()).toHaveLength(2);
  }, 150_000);
});
