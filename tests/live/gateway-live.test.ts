// A live field from the event log to a client's socket: the real gateway over the project's own SDL and real subgraph servers.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { startGateway } from '@weft/gateway/start';
import { splitEventStreams } from '@weft/schema/event-streams';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { incidentEvent } from '../../subgraphs/incidents/incident-event.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type LiveLog, openLiveLog } from './live-log.ts';
import { connectClient, type WsClient } from './ws-client.ts';

const SUBGRAPHS = join(import.meta.dirname, '../../subgraphs');
const SUPERGRAPH = resolve(SUBGRAPHS, '../schema/supergraph.graphql');
const LIVE = `subscription ($division: ID, $after: Cursor) {
  incidentChanged(division: $division, after: $after) {
    cursor
    gap { from to reason }
    change { kind }
    incident { id title division { name } }
  }
}`;
const RECEIVED_MS_MAX = 1_000;

interface Change {
  readonly cursor: string;
  readonly gap: unknown;
  readonly change: { readonly kind: string } | null;
  readonly incident: {
    readonly id: string;
    readonly title: string | null;
    readonly division: { readonly name: string } | null;
  } | null;
}

let live: LiveLog;
let members: readonly SubgraphServer[];
beforeAll(async () => {
  live = await openLiveLog();
  const byId = {
    __resolveReference: ({ id }: { id: string }) => ({
      id,
      title: `title ${id}`,
      division: { code: '320508' },
    }),
  };
  const byCode = { __resolveReference: ({ code }: { code: string }) => ({ code, name: `name of ${code}` }) };
  members = [
    await startMember('incidents', { Incident: byId }),
    await startMember('directory', { Division: byCode }),
  ];
});
afterAll(async () => {
  await Promise.all((members ?? []).map((member) => member.close()));
  await live?.close();
});

function startMember(
  name: string,
  resolvers: Record<string, Record<string, unknown>>,
): Promise<SubgraphServer> {
  const sdl = readFileSync(join(SUBGRAPHS, name, 'schema.graphql'), 'utf8');
  return startSubgraph(name, sdl, resolvers, splitEventStreams(sdl).served);
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(): Promise<Started> {
  const gateway = await startGateway({
    config: {
      port: 0,
      host: '127.0.0.1',
      logLevel: 'silent',
      databaseUrl: live.databaseUrl,
      // The graph as it is composed: the library's part names fields of systems that are not asked here.
      supergraphFile: SUPERGRAPH,
      manifest: members.map(({ name, url }) => ({ name, url, sdlFile: undefined })),
      cursorKeys: [{ id: 'k1', secret: 's'.repeat(32) }],
    },
    logger: createLogger('test', 'silent'),
  });
  cleanups.push(() => gateway.close());
  return gateway;
}

async function subscribe(gateway: Started, variables: Record<string, unknown>): Promise<WsClient> {
  const client = await connectClient(gateway.urls.ws ?? '');
  cleanups.push(() => client.close());
  client.send({ id: 's', type: 'subscribe', payload: { query: LIVE, variables } });
  return client;
}

async function nextChange(client: WsClient): Promise<Change> {
  const message = await client.next();
  const { data } = message.payload as { data?: { incidentChanged: Change } };
  if (data === undefined) throw new Error(`expected a change, got ${JSON.stringify(message)}`);
  return data.incidentChanged;
}

function reported(id: string, division: string) {
  const step = {
    incidentId: id,
    sequence: 1,
    kind: 'REPORTED',
    from: null,
    to: 'REPORTED',
    at: new Date(),
    by: 'test',
  } as const;
  return incidentEvent(step, { division, channel: 'HOTLINE' });
}

/** Appends warm-up incidents until the subscriber has one: from then on it stands in the stream. */
async function untilReceiving(client: WsClient, prefix: string, division: string): Promise<Change> {
  const first = nextChange(client);
  let received = false;
  first.then(
    () => {
      received = true;
    },
    () => undefined,
  );
  for (let n = 0; !received && n < 500; n++)
    await live.append('incident', reported(`${prefix}${n}`, division));
  return first;
}

describe('a live field of the gateway', () => {
  it('brings an appended event with fields of two systems within a second', async () => {
    const client = await subscribe(await start(), { division: '320508' });
    let last = await untilReceiving(client, 'warm', '320508001');
    const appended = performance.now();
    await live.append('incident', reported('elsewhere', '320506001'), reported('here', '320508002'));
    while (last.incident?.id !== 'here') {
      last = await nextChange(client);
      expect(last.incident?.id).not.toBe('elsewhere');
    }
    expect(performance.now() - appended).toBeLessThan(RECEIVED_MS_MAX);
    expect(last).toEqual({
      cursor: expect.any(String),
      gap: null,
      change: { kind: 'REPORTED' },
      incident: { id: 'here', title: 'title here', division: { name: 'name of 320508' } },
    });
  });

  it('loses nothing and brings nothing twice when a client comes back by its cursor to a gateway started anew', async () => {
    const first = await start();
    const client = await subscribe(first, { division: '330000' });
    const ids = Array.from({ length: 60 }, (_, index) => `r${index}`);
    const seen: string[] = [];
    let cursor = '';
    const takeOne = async (from: WsClient) => {
      const change = await nextChange(from);
      cursor = change.cursor;
      seen.push(change.incident?.id ?? `no incident: ${JSON.stringify(change)}`);
    };
    await untilReceiving(client, 'enter', '330000');
    await live.append('incident', ...ids.slice(0, 20).map((id) => reported(id, '330000')));
    while (!seen.includes('r9')) await takeOne(client);
    await client.close();
    await first.close();
    cleanups.length = 0;
    await live.append('incident', ...ids.slice(20, 40).map((id) => reported(id, '330000')));
    const again = await subscribe(await start(), { division: '330000', after: cursor });
    while (!seen.includes('r39')) await takeOne(again);
    await live.append('incident', ...ids.slice(40).map((id) => reported(id, '330000')));
    while (!seen.includes('r59')) await takeOne(again);
    expect(seen.filter((id) => id.startsWith('r'))).toEqual(ids);
  });

  it('ends a subscription with a cursor that it did not sign by an error with its code', async () => {
    const gateway = await start();
    const client = await subscribe(gateway, { division: '320508', after: 'bm9uc2Vuc2U' });
    const extensions = { code: 'INVALID_CURSOR' };
    expect(await client.next()).toMatchObject({ id: 's', type: 'error', payload: [{ extensions }] });
  });
});
