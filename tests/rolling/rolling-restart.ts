// Two gateways behind a load balancer under load, each restarted in its turn while the other serves.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@weft/core/process-table';
import { composeOrThrow } from '../gateway/library-gateway.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { waitFor } from '../support/wait.ts';
import { type RunningGateway, startGatewayCommand } from './gateways.ts';
import { type Ask, type Load, startLoad } from './load.ts';
import { type LoadBalancer, startLoadBalancer } from './load-balancer.ts';

export interface RollingOptions {
  /** How often both are restarted. */
  readonly rounds: number;
  readonly perSecond: number;
  readonly graceMs: number;
  /** Of the load balancer. */
  readonly pollMs: number;
  onRestart?(count: number, load: Load): void;
}

export interface RollingReport {
  readonly sent: number;
  readonly answered: number;
  readonly heldBack: number;
  readonly late: number;
  readonly failures: readonly string[];
  readonly msMax: number;
  readonly exitCodes: readonly (number | null)[];
  readonly seconds: number;
}

const HEAD = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';
const SLOW_MS = 300;
const READY_MS_MAX = 60_000;

async function startMembers(): Promise<readonly SubgraphServer[]> {
  const books = await startSubgraph(
    'books',
    `${HEAD} type Query { book(id: ID!): Book slow: Int } type Book @key(fields: "id") { id: ID! title: String }`,
    {
      Query: {
        book: (_: unknown, { id }: { id: string }) => ({ id, title: `title ${id}` }),
        slow: () => new Promise((resolve) => setTimeout(() => resolve(1), SLOW_MS)),
      },
    },
  );
  const shelves = await startSubgraph(
    'shelves',
    `${HEAD} type Query { shelves: Int } type Book @key(fields: "id") { id: ID! shelf: String }`,
    { Book: { shelf: ({ id }: { id: string }) => `shelf ${id}` } },
  );
  return [books, shelves];
}

/** Most are known to the gateway; every tenth is slow, and every fortieth has to be planned. */
function askOf(count: number): Ask {
  if (count % 10 === 5) return { query: '{ slow }', expected: '{"data":{"slow":1}}' };
  const alias = count % 40 === 0 ? `book${count}` : 'book';
  const query = `{ ${alias}: book(id: "7") { title shelf } }`;
  return { query, expected: `{"data":{"${alias}":{"title":"title 7","shelf":"shelf 7"}}}` };
}

export async function runRollingRestart(options: RollingOptions): Promise<RollingReport> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-rolling-'));
  const members = await startMembers();
  const supergraphFile = join(folder, 'supergraph.graphql');
  writeFileSync(supergraphFile, composeOrThrow(members));
  const ports = [await freePort(), await freePort()];
  const env = { WEFT_DRAIN_GRACE_MS: String(options.graceMs) };
  const start = (port: number) => startGatewayCommand(supergraphFile, port, env);
  const gateways = new Map<number, RunningGateway>();
  const balancer = await startLoadBalancer(ports, options.pollMs);
  try {
    for (const port of ports) gateways.set(port, await start(port));
    await untilBothReady(balancer);
    return await restartUnderLoad(options, balancer, gateways, start);
  } finally {
    for (const gateway of gateways.values()) gateway.kill();
    await balancer.close();
    await Promise.all(members.map((member) => member.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function restartUnderLoad(
  { rounds, perSecond, onRestart }: RollingOptions,
  balancer: LoadBalancer,
  gateways: Map<number, RunningGateway>,
  start: (port: number) => Promise<RunningGateway>,
): Promise<RollingReport> {
  const startedAt = performance.now();
  const exitCodes: (number | null)[] = [];
  const load = startLoad(balancer.url, perSecond, askOf);
  for (let round = 0; round < rounds; round += 1) {
    for (const [port, gateway] of gateways) {
      exitCodes.push(await gateway.terminate());
      gateways.set(port, await start(port));
      await untilBothReady(balancer);
      onRestart?.(exitCodes.length, load);
    }
  }
  await load.stop();
  const { sent, answered, heldBack, late, failures, msMax } = load;
  return {
    sent,
    answered,
    heldBack,
    late,
    failures,
    msMax,
    exitCodes,
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

function untilBothReady(balancer: LoadBalancer): Promise<boolean> {
  return waitFor('both gateways to be ready', () => balancer.ready().length === 2, READY_MS_MAX);
}
