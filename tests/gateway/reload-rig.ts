// A gateway over two small members whose graph is in a file, and short ways to replace the file and to ask.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import type { ReloadLimits } from '@weft/gateway/reload/limits';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { waitFor } from '../support/wait.ts';
import { type Answer, composeOrThrow } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n`;
const SHOPS = `${LINK}type Query { shops: [Shop!]! slow: String } type Shop @key(fields: "id") { id: ID! name: String }`;
const HOURS = `${LINK}type Query { now: String } type Shop @key(fields: "id") { id: ID! opens: Int }`;

export interface Ready {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly generation: { readonly id: string; readonly loadedAt: string; readonly publication?: number };
  readonly refusedReload?: { readonly at: string; readonly reason: string };
}

export interface ReloadRig {
  readonly supergraphFile: string;
  /** With `slow` and `Shop.opens`. */
  readonly whole: string;
  /** Without `slow`, with `Query.later`. */
  readonly other: string;
  /** Requests for `slow` that have come to the member. */
  readonly slowRequests: () => number;
  /** Lets every request for `slow` end. */
  releaseSlow(): void;
  start(reloadLimits?: Partial<ReloadLimits>): Promise<StartedGateway>;
  /** Replaces the file in one step, as a deployment does. */
  replace(supergraphSdl: string): void;
  close(): Promise<void>;
}

export async function createReloadRig(): Promise<ReloadRig> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-reload-'));
  const supergraphFile = join(folder, 'supergraph.graphql');
  const gate = Promise.withResolvers<void>();
  let slow = 0;
  const shops = await startSubgraph('shops', SHOPS, {
    Query: {
      shops: () => [{ id: '1' }, { id: '2' }],
      slow: async () => {
        slow += 1;
        await gate.promise;
        return 'done';
      },
    },
    Shop: { name: ({ id }: { id: string }) => `shop ${id}` },
  });
  const hours = await startSubgraph('hours', HOURS, {
    Shop: { opens: ({ id }: { id: string }) => Number(id) },
  });
  const members: readonly SubgraphServer[] = [shops, hours];
  const composeWith = (shopsSdl: string) => composeOrThrow([{ ...shops, sdl: shopsSdl }, hours]);
  const rig: ReloadRig = {
    supergraphFile,
    whole: composeWith(SHOPS),
    other: composeWith(SHOPS.replace('slow: String', 'later: Int')),
    slowRequests: () => slow,
    releaseSlow: gate.resolve,
    start: (reloadLimits = {}) =>
      startGateway({
        config: readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: supergraphFile }),
        logger: createLogger('test', 'silent'),
        // What is slow stays so until it is let go, however long a reload takes beside other tests.
        limits: { operationTimeoutMs: 60_000, subgraphTimeoutMs: 60_000 },
        reloadLimits: { debounceMs: 5, ...reloadLimits },
      }),
    replace(supergraphSdl) {
      writeFileSync(`${supergraphFile}.new`, supergraphSdl);
      renameSync(`${supergraphFile}.new`, supergraphFile);
    },
    async close() {
      gate.resolve();
      await Promise.all(members.map((member) => member.close()));
      rmSync(folder, { recursive: true });
    },
  };
  rig.replace(rig.whole);
  return rig;
}

export async function post(gateway: StartedGateway, query: string): Promise<Answer> {
  const response = await fetch(gateway.urls.graphql ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Answer;
}

export async function readyOf(gateway: StartedGateway): Promise<Ready> {
  const response = await fetch(new URL('/health/ready', gateway.urls.dashboard));
  return (await response.json()) as Ready;
}

/** Waits until another generation than `before` serves. */
export function untilReloaded(gateway: StartedGateway, before: Ready): Promise<Ready> {
  return waitFor('another generation', async () => {
    const ready = await readyOf(gateway);
    return ready.generation.id !== before.generation.id && ready;
  });
}
