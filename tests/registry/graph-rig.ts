// A gateway in the test's own process that takes its graph from a scripted registry, over two small members.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import type { RegistryLimits } from '@weft/gateway/registry/limits';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { composeOrThrow } from '../gateway/library-gateway.ts';
import { type Ready, readyOf } from '../gateway/reload-rig.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { waitFor } from '../support/wait.ts';
import { type PublishedGraph, type ScriptedRegistry, startScriptedRegistry } from './scripted-registry.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n`;
const SHOPS = `${LINK}type Query { shops: [Shop!] } type Shop @key(fields: "id") { id: ID! name: String }`;
const HOURS = `${LINK}type Query { now: String } type Shop @key(fields: "id") { id: ID! opens: Int }`;

export const KEY = { id: 'test', secret: 'thirty-two-characters-of-a-secret' };

export interface GraphRig {
  readonly registry: ScriptedRegistry;
  readonly folder: string;
  readonly cache: string;
  readonly shops: SubgraphServer;
  readonly hours: SubgraphServer;
  /** With `shops` and `now`. */
  readonly whole: PublishedGraph;
  /** Without `now`, with `later`. */
  readonly other: PublishedGraph;
  readonly env: Readonly<Record<string, string>>;
  /** Writes a supergraph file, and returns its name. */
  fileOf(graph: PublishedGraph): string;
  start(
    env?: Readonly<Record<string, string>>,
    registryLimits?: Partial<RegistryLimits>,
  ): Promise<StartedGateway>;
  close(): Promise<void>;
}

const SHORT: Partial<RegistryLimits> = { pollMs: 50, retryDelayMsMin: 20, retryDelayMsMax: 100 };

export async function createGraphRig(): Promise<GraphRig> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-registry-'));
  const registry = await startScriptedRegistry({ subgraphKeys: [KEY] });
  const shops = await startSubgraph('shops', SHOPS, {
    Query: { shops: () => [{ id: '1' }, { id: '2' }] },
    Shop: { name: ({ id }: { id: string }) => `shop ${id}` },
  });
  // It can what both graphs say of it.
  const served = HOURS.replace('now: String', 'now: String later: String');
  const resolvers = {
    Query: { now: () => 'noon', later: () => 'evening' },
    Shop: { opens: ({ id }: { id: string }) => Number(id) },
  };
  const hours = await startSubgraph('hours', HOURS, resolvers, served);
  const graphOf = (hoursSdl: string): PublishedGraph => ({
    supergraphSdl: composeOrThrow([shops, { ...hours, sdl: hoursSdl }]),
    subgraphs: [shops, hours].map(({ name, url }) => ({ name, url })),
  });
  const files = { keys: join(folder, 'keys.json'), publicKeys: join(folder, 'registry.pub.pem') };
  writeFileSync(files.keys, JSON.stringify({ subgraphKeys: [KEY] }));
  writeFileSync(files.publicKeys, registry.publicKeysPem);
  const cache = join(folder, 'cache');
  const env = {
    PORT: '0',
    WEFT_KEYS_FILE: files.keys,
    WEFT_REGISTRY_URL: registry.url,
    WEFT_REGISTRY_PUBLIC_KEYS_FILE: files.publicKeys,
    WEFT_REGISTRY_CACHE: cache,
    WEFT_REGISTRY_ALLOWED_HOSTS: [shops, hours].map(({ url }) => new URL(url).host).join(','),
  };
  return {
    registry,
    folder,
    cache,
    shops,
    hours,
    whole: graphOf(HOURS),
    other: graphOf(HOURS.replace('now: String', 'later: String')),
    env,
    fileOf({ supergraphSdl }) {
      const file = join(folder, 'supergraph.graphql');
      writeFileSync(file, supergraphSdl);
      return file;
    },
    start: (more = {}, registryLimits = {}) =>
      startGateway({
        config: readGatewayConfig({ ...env, ...more }),
        logger: createLogger('test', 'silent'),
        registryLimits: { ...SHORT, ...registryLimits },
      }),
    async close() {
      await Promise.all([shops.close(), hours.close(), registry.stop()]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Of `/health/ready`, once it says so. */
export function untilReady(
  gateway: StartedGateway,
  what: string,
  isSo: (ready: Ready) => boolean,
): Promise<Ready> {
  return waitFor(what, async () => {
    const ready = await readyOf(gateway);
    return isSo(ready) && ready;
  });
}

/** The reasons that speak of the graph. */
export function aboutGraph({ reasons }: Ready): readonly string[] {
  return reasons.filter((reason) => reason.startsWith('graph: '));
}
