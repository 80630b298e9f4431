// A live field for the tests of transports and clients: street lamps from the event log through the real gateway, their colour from a real subgraph.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { GatewayConfig } from '@weft/gateway/config';
import type { LiveHttpLimits } from '@weft/gateway/live-http/limits';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { makeEvent } from '../events/event-log-suite.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type LiveLog, openLiveLog } from '../live/live-log.ts';

const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const LAMP = 'type Lamp @key(fields: "id") { id: ID! street: String colour: String }';
export const LAMPS_SDL = `${FEDERATION}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { lamp(id: ID!): Lamp }
type Mutation { break(id: ID!): Lamp }
type Subscription {
  lampChanged(street: ID, after: Cursor): LampChanged!
    @eventStream(topic: "lamp", message: "{ lamp { id } note }", where: "$.street->eq($args.street)")
}
type LampChanged implements Resumable { cursor: Cursor! gap: Gap lamp: Lamp note: String }
${LAMP}
`;

/** The live field of one street, with a field that only the subgraph knows. */
export const LAMP_CHANGED = `subscription LampChanged($street: ID, $after: Cursor) {
  lampChanged(street: $street, after: $after) {
    cursor
    gap { from to reason }
    note
    lamp { id colour }
  }
}`;

export interface LampChanged {
  readonly lampChanged: {
    readonly cursor: string;
    readonly gap: { readonly from: string | null; readonly to: string; readonly reason: string } | null;
    readonly note: string | null;
    readonly lamp: { readonly id: string; readonly colour: string } | null;
  };
}

export interface Lamps {
  readonly live: LiveLog;
  readonly subgraph: SubgraphServer;
  /** A gateway over the same log and subgraph; `close` ends it if that was not done. */
  gateway(options?: LampsGatewayOptions): Promise<LampsGateway>;
  /** Appends one change for each id, in one transaction. */
  change(street: string, ids: readonly string[], note?: string | null): Promise<void>;
  close(): Promise<void>;
}

export interface LampsGatewayOptions {
  readonly config?: Partial<GatewayConfig>;
  readonly limits?: Partial<LiveHttpLimits>;
}

export interface LampsGateway extends StartedGateway {
  readonly graphql: string;
  readonly ws: string;
  /** Replaces the stored SDL and reads it. */
  reloadWith(sdl: string): Promise<void>;
}

export async function startLamps(): Promise<Lamps> {
  const live = await openLiveLog();
  const lamp = ({ id }: { readonly id: string }) => ({ id, street: 'street', colour: `colour ${id}` });
  const subgraph = await startSubgraph(
    'lamps',
    LAMPS_SDL,
    { Query: { lamp: (_: unknown, key: { id: string }) => lamp(key) }, Lamp: { __resolveReference: lamp } },
    `${FEDERATION}type Query { lamp(id: ID!): Lamp }\ntype Mutation { break(id: ID!): Lamp }\n${LAMP}`,
  );
  const closes: (() => Promise<void>)[] = [];
  return {
    live,
    subgraph,
    async gateway(options = {}) {
      const started = await startOne(live, subgraph, options);
      closes.push(started.close);
      return started;
    },
    change: (street, ids, note = null) =>
      live.append('lamp', ...ids.map((id) => makeEvent(id, { street, lamp: { id }, note }))),
    async close() {
      await Promise.all(closes.map((close) => close()));
      await subgraph.close();
      await live.close();
    },
  };
}

async function startOne(
  live: LiveLog,
  { url, name }: SubgraphServer,
  { config, limits = {} }: LampsGatewayOptions,
): Promise<LampsGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-lamps-'));
  const sdlFile = join(folder, 'lamps.graphql');
  writeFileSync(sdlFile, LAMPS_SDL);
  const gateway = await startGateway({
    config: {
      port: 0,
      host: '127.0.0.1',
      logLevel: 'silent',
      databaseUrl: live.databaseUrl,
      supergraphFile: undefined,
      manifest: [{ name, url, sdlFile }],
      cursorKeys: [{ id: 'k1', secret: 's'.repeat(32) }],
      ...config,
    },
    logger: createLogger('test', 'silent'),
    liveLimits: limits,
  });
  let closing: Promise<void> | undefined;
  return {
    ...gateway,
    graphql: gateway.urls.graphql ?? '',
    ws: gateway.urls.ws ?? '',
    async reloadWith(sdl) {
      writeFileSync(sdlFile, sdl);
      const outcome = await gateway.reload();
      if (outcome.kind === 'refused') throw new Error(JSON.stringify(outcome));
    },
    close: () => {
      closing ??= gateway.close().finally(() => rmSync(folder, { recursive: true }));
      return closing;
    },
  };
}
