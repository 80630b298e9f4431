// Laws of variants: a gateway that serves one offers what its tags leave, and none is taken away by who publishes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readVariants } from '@weft/subgraphs/registry/variants';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { ADMIN, codeOf, PUBLISH, publisher, type SignedRegistry, startRegistry } from './signed-registry.ts';
import { type StormGateway, startStormGateway } from './storm-gateway.ts';

const noPostgres = await whyNoPostgres();
const PARKS = publisher('parks-office');
const VARIANTS = { public: { include: ['public'] }, staff: { exclude: ['audit'] } };
const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@tag"])
type Query {
  parks(first: Int): [Park] @tag(name: "public")
  trail: String @tag(name: "audit")
  keys: Int
}
type Park {
  name: String @tag(name: "public")
  keeper: String
}`;

interface Signed {
  readonly publication: number;
  readonly hash: string;
  readonly payload: string;
}

describe.skipIf(noPostgres !== undefined)('variants of the graph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-variants-'));
  let parks: SubgraphServer;
  let registry: SignedRegistry;
  const gateways: StormGateway[] = [];
  beforeAll(async () => {
    parks = await startSubgraph('parks', SDL, {
      Query: { parks: () => [{ name: 'West', keeper: 'K' }], trail: () => 'trail', keys: () => 3 },
    });
    registry = await startRegistry({ variants: VARIANTS, hosts: [new URL(parks.url).host] });
  }, 60_000);
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await registry?.close();
    await parks?.close();
    rmSync(folder, { recursive: true });
  }, 60_000);

  const publish = (sdl: string, from = registry, system = 'parks') =>
    from.as(PARKS, PUBLISH, {
      input: { register: [{ name: system }], versions: [{ system, sdl, url: parks.url }] },
    });
  const graph = async (variant: string, from = registry) => {
    const query = `{ supergraph(variant: "${variant}") { publication hash payload } }`;
    const { data, errors } = await from.as(undefined, query);
    return errors === undefined ? (data as unknown as { supergraph: Signed }).supergraph : undefined;
  };
  const events = async (publication: number): Promise<unknown[]> => {
    const { rows } = await registry.database.client.query(
      `SELECT envelope->'data'->>'variant' AS variant FROM events.event
       WHERE topic = 'supergraph' AND (envelope->'data'->>'publication')::int = ${publication} ORDER BY 1`,
    );
    return rows.map(({ variant }) => variant);
  };
  const start = async (variant: string): Promise<StormGateway> => {
    const [keys, publicKeys] = [join(folder, 'keys.json'), join(folder, 'registry.pub.pem')];
    writeFileSync(keys, JSON.stringify({ subgraphKeys: [registry.key] }));
    writeFileSync(publicKeys, registry.publicKey.export({ type: 'spki', format: 'pem' }));
    const gateway = await startStormGateway({
      DATABASE_URL: registry.database.url,
      WEFT_KEYS_FILE: keys,
      WEFT_REGISTRY_URL: registry.url,
      WEFT_REGISTRY_PUBLIC_KEYS_FILE: publicKeys,
      WEFT_REGISTRY_ALLOWED_HOSTS: new URL(parks.url).host,
      WEFT_GRAPH_VARIANT: variant,
    });
    gateways.push(gateway);
    return gateway;
  };
  const ask = async ({ graphql }: StormGateway, query: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(graphql, { method: 'POST', headers, body: JSON.stringify({ query }) });
    return (await response.json()) as { readonly data?: unknown; readonly errors?: readonly unknown[] };
  };

  it('are served each by the gateway that is told so, and follow what is published', async () => {
    expect((await publish(SDL)).errors).toBeUndefined();
    const [asPublic, asStaff] = await Promise.all([start('public'), start('staff')]);
    const open = await ask(asPublic, '{ parks(first: 1) { name } }');
    expect(open).toEqual({ data: { parks: [{ name: 'West' }] } });
    expect((await ask(asPublic, '{ parks { keeper } }')).errors).toHaveLength(1);
    expect((await ask(asPublic, '{ keys }')).errors).toHaveLength(1);
    expect(await ask(asStaff, '{ keys parks { keeper } }')).toEqual({
      data: { keys: 3, parks: [{ keeper: 'K' }] },
    });
    expect((await ask(asStaff, '{ trail }')).errors).toHaveLength(1);
    await publish(SDL.replace('keeper: String', 'keeper: String @tag(name: "public")'));
    await waitFor(
      'the new field',
      async () => (await ask(asPublic, '{ parks { keeper } }')).errors === undefined,
    );
  }, 120_000);

  it('are told each of its own change', async () => {
    await publish(SDL);
    const { publication = 0 } = (await graph('current')) ?? {};
    expect(await events(publication)).toEqual(['current', 'public', 'staff']);
    await publish(SDL.replace(' @tag(name: "audit")', ''));
    const later = (await graph('public'))?.publication ?? 0;
    expect(later).toBe(publication + 1);
    expect(await events(later)).toEqual(['current', 'public', 'staff']);
    await publish(SDL);
  });

  it('are not lost by who publishes: that is refused, and says which', async () => {
    const before = await graph('public');
    const untagged = SDL.replaceAll('@tag(name: "public")', '');
    const answer = await publish(untagged);
    expect(answer.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/variant public: /),
      extensions: { code: 'COMPOSITION_FAILED' },
    });
    expect(await graph('public')).toEqual(before);
    const check = `query ($changes: [VersionInput!]!) { checkVersions(changes: $changes) { code problems { message } } }`;
    const changes = [{ system: 'parks', sdl: untagged, url: parks.url }];
    expect(await registry.data(PARKS, check, { changes })).toMatchObject({
      checkVersions: {
        code: 'COMPOSITION_FAILED',
        problems: [{ message: expect.stringMatching(/^variant public/) }],
      },
    });
  });

  it('keep nobody from leaving, nor others from publishing while they cannot be made', async () => {
    expect((await publish('type Query { ponds: Int }', registry, 'ponds')).errors).toBeUndefined();
    const out = 'mutation { quarantineSystem(name: "parks", mode: REMOVE, reason: "wrong") { name } }';
    await registry.data(ADMIN, out);
    expect(await graph('public')).toBeUndefined();
    expect((await graph('current'))?.payload).not.toContain('parks');
    const lakes = await publish('type Query { lakes: Int }', registry, 'lakes');
    expect(lakes.errors).toBeUndefined();
    await registry.data(ADMIN, 'mutation { releaseSystem(name: "parks", reason: "mended") { name } }');
    expect((await graph('public'))?.payload).toContain('parks');
  });

  it('are what the setting says from the next start on', async () => {
    const { publication = 0 } = (await graph('current')) ?? {};
    const same = await startRegistry({ variants: VARIANTS, database: registry.database });
    expect((await graph('current', same))?.publication).toBe(publication);
    await same.close();
    const other = { public: VARIANTS.public, audit: { include: ['audit'] } };
    const again = await startRegistry({ variants: other, database: registry.database });
    expect((await graph('audit', again))?.publication).toBe(publication + 1);
    expect(codeOf(await again.as(undefined, '{ supergraph(variant: "staff") { hash } }'))).toBe('NOT_FOUND');
    expect(await events(publication + 1)).toEqual(['audit']);
    await again.close();
  }, 60_000);

  it.each([
    ['current', { current: { include: ['a'] } }, 'current is the whole graph'],
    ['a filter of nothing', { a: {} }, 'expected tags to include or exclude'],
    ['what is no tag', { a: { include: ['a b'] } }, 'expected a tag'],
    ['a tag that is in and out', { a: { include: ['a'], exclude: ['a'] } }, 'included and excluded'],
  ])('are refused in a file with %s', (_, variants, problem) => {
    const file = join(folder, 'variants.json');
    writeFileSync(file, JSON.stringify({ variants }));
    expect(() => readVariants(file)).toThrow(problem);
  });
});
