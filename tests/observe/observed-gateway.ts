// A gateway over two small systems whose every line of log is kept, and short ways to ask it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import type { EngineLimits } from '@weft/gateway/limits';
import { startGateway } from '@weft/gateway/start';
import { composeOrThrow } from '../gateway/library-gateway.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';

const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable"])`;
const ORDERS = `${LINK}
type Query { orders: [Order!]! order(id: ID = "1"): Order }
type Mutation { accept(id: ID!): Order }
type Order @key(fields: "id") { id: ID! title: String }`;
const POLICE = `${LINK}
type Query { open: Int }
type Order @key(fields: "id") { id: ID! status: String unit: String }`;

const orderOf = (id: string) => ({ id, title: `order ${id}` });

/** One line of the log. */
export type Line = Readonly<Record<string, unknown>> & { readonly msg: string; readonly traceId?: string };

export interface ObservedGateway {
  readonly started: Started;
  readonly origin: string;
  readonly orders: SubgraphServer;
  readonly police: SubgraphServer;
  /** Of the log so far. */
  readonly lines: readonly Line[];
  /** The lines of operations. */
  operations(): readonly Line[];
  /** The log as it was written. */
  text(): string;
  clear(): void;
  post(body: object, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
}

export async function startObservedGateway(
  settings: Readonly<Record<string, string>> = {},
  limits: Partial<EngineLimits> = {},
): Promise<ObservedGateway> {
  const orders = await startSubgraph('orders', ORDERS, {
    Query: {
      orders: () => ['1', '2'].map(orderOf),
      order: (_: unknown, { id }: { id: string }) => orderOf(id),
    },
    Mutation: { accept: (_: unknown, { id }: { id: string }) => orderOf(id) },
  });
  const police = await startSubgraph('police', POLICE, {
    Query: { open: () => 3 },
    Order: { __resolveReference: ({ id }: { id: string }) => ({ id, status: `status ${id}`, unit: 'A' }) },
  });
  const folder = mkdtempSync(join(tmpdir(), 'weft-observe-'));
  const file = join(folder, 'supergraph.graphql');
  writeFileSync(file, composeOrThrow([orders, police]));
  const written: string[] = [];
  const started = await startGateway({
    config: readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: file, ...settings }),
    logger: createLogger('gateway', 'info', { write: (line) => written.push(line) }),
    limits,
  });
  const origin = new URL(started.urls.graphql ?? '').origin;
  return {
    started,
    origin,
    orders,
    police,
    get lines() {
      return written.map((line) => JSON.parse(line) as Line);
    },
    operations: () =>
      written.map((line) => JSON.parse(line) as Line).filter(({ msg }) => msg === 'operation'),
    text: () => written.join(''),
    clear: () => written.splice(0),
    post: (body, headers = {}) =>
      fetch(`${origin}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async close() {
      await started.close();
      await Promise.all([orders.close(), police.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
