// Live subscriptions while the graph is reloaded: they go on, or end with the code when the new graph lacks a field.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeEvent } from '../events/event-log-suite.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type LiveLog, openLiveLog } from './live-log.ts';
import { connectClient, type WsClient } from './ws-client.ts';

const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const LAMPS = `${FEDERATION}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { lamp(id: ID!): Lamp }
type Subscription {
  lampChanged(street: ID, after: Cursor): LampChanged!
    @eventStream(topic: "lamp", message: "{ lamp { id } }", where: "$.street->eq($args.street)")
}
type LampChanged implements Resumable { cursor: Cursor! gap: Gap lamp: Lamp }
type Lamp @key(fields: "id") { id: ID! street: String colour: String }
`;
const SERVED = `${FEDERATION}type Query { lamp(id: ID!): Lamp }
type Lamp @key(fields: "id") { id: ID! street: String colour: String power: Int }`;

const withRules = (sdl: string) => sdl.replace('["@key"]', '["@key", "@authenticated"]');

let live: LiveLog;
let lamps: SubgraphServer;
beforeAll(async () => {
  live = await openLiveLog();
  const __resolveReference = ({ id }: { id: string }) => ({ id, street: `street ${id}`, colour: 'red' });
  lamps = await startSubgraph('lamps', LAMPS, { Lamp: { __resolveReference } }, SERVED);
});
afterAll(async () => {
  await lamps?.close();
  await live?.close();
});

let folder: string;
let gateway: StartedGateway;
let client: WsClient;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-live-reload-'));
  writeFileSync(join(folder, 'lamps.graphql'), LAMPS);
  const manifest = join(folder, 'manifest.json');
  writeFileSync(
    manifest,
    JSON.stringify({ subgraphs: [{ name: 'lamps', url: lamps.url, sdlFile: 'lamps.graphql' }] }),
  );
  gateway = await startGateway({
    config: readGatewayConfig({ PORT: '0', WEFT_SUBGRAPHS_FILE: manifest, DATABASE_URL: live.databaseUrl }),
    logger: createLogger('test', 'silent'),
  });
  client = await connectClient(gateway.urls.ws ?? '');
});
afterEach(async () => {
  await client?.close();
  await gateway?.close();
  rmSync(folder, { recursive: true });
});

let events = 0;
async function change(street: string): Promise<string> {
  events += 1;
  const id = `l${events}`;
  await live.append('lamp', makeEvent(id, { street, lamp: { id } }));
  return id;
}

async function reload(sdl: string): Promise<void> {
  writeFileSync(join(folder, 'lamps.graphql'), sdl);
  const outcome = await gateway.reload();
  expect(outcome.kind).not.toBe('refused');
}

const subscribe = (id: string, fields: string) =>
  client.send({
    id,
    type: 'subscribe',
    payload: { query: `subscription { lampChanged(street: "s") { lamp { ${fields} } } }` },
  });

/** Appends until each of the subscriptions has had a message. */
async function untilReceiving(...ids: readonly string[]): Promise<void> {
  const waiting = new Set(ids);
  while (waiting.size > 0) {
    const next = client.next();
    let received = false;
    void next.finally(() => {
      received = true;
    });
    while (!received) await change('s');
    waiting.delete((await next).id ?? '');
  }
}

/** Passes over what the warm-up still brings. */
async function nextOf(
  id: string,
  wanted: (payload: string) => boolean,
): Promise<{ type: string; payload?: unknown }> {
  for (;;) {
    const message = await client.next();
    if (message.id === id && (message.type !== 'next' || wanted(JSON.stringify(message.payload))))
      return message;
  }
}

describe('a live subscription, when the graph is reloaded', () => {
  it('goes on with the new graph where its fields are still there, filter included', async () => {
    subscribe('s', 'id street');
    await untilReceiving('s');
    await reload(LAMPS.replace('colour: String', 'power: Int').replace('$.street->eq(', '$.avenue->eq('));
    await change('s');
    const lamp = { id: 'by-avenue' };
    await live.append('lamp', makeEvent(lamp.id, { avenue: 's', lamp }));
    const message = await nextOf('s', (payload) => payload.includes('by-avenue'));
    expect(message).toMatchObject({
      type: 'next',
      payload: { data: { lampChanged: { lamp: { id: 'by-avenue', street: 'street by-avenue' } } } },
    });
  });

  it('ends with SUBSCRIPTION_SCHEMA_RELOAD where a field is gone, and leaves the others alone', async () => {
    subscribe('gone', 'id colour');
    subscribe('stays', 'id street');
    await untilReceiving('gone', 'stays');
    await reload(LAMPS.replace('colour: String', ''));
    const ended = await nextOf('gone', () => false);
    expect(ended).toMatchObject({
      type: 'error',
      payload: [
        {
          message: expect.stringContaining('Cannot query field "colour" on type "Lamp"'),
          extensions: { code: 'SUBSCRIPTION_SCHEMA_RELOAD', traceId: expect.any(String) },
        },
      ],
    });
    const id = await change('s');
    expect(await nextOf('stays', (payload) => payload.includes(`"${id}"`))).toMatchObject({ type: 'next' });
  });

  it('shows no more of a field that the new graph protects', async () => {
    subscribe('s', 'id colour');
    await untilReceiving('s');
    await reload(withRules(LAMPS.replace('colour: String', 'colour: String @authenticated')));
    await change('s');
    expect(await nextOf('s', (payload) => payload.includes('UNAUTHENTICATED'))).toMatchObject({
      payload: {
        data: { lampChanged: { lamp: { colour: null } } },
        errors: [{ path: ['lampChanged', 'lamp', 'colour'] }],
      },
    });
  });

  it('ends where the new graph protects the live field itself', async () => {
    subscribe('s', 'id');
    await untilReceiving('s');
    await reload(withRules(LAMPS.replace('$args.street)")', '$args.street)") @authenticated')));
    const ended = await nextOf('s', () => false);
    expect(ended).toMatchObject({ type: 'error' });
    expect(JSON.stringify(ended)).toContain('Subscription.lampChanged');
    subscribe('again', 'id');
    expect(await nextOf('again', () => false)).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('ends with SUBSCRIPTION_SCHEMA_RELOAD where its events come from another topic', async () => {
    subscribe('s', 'id');
    await untilReceiving('s');
    await reload(LAMPS.replace('topic: "lamp"', 'topic: "lantern"'));
    const [error] = (await nextOf('s', () => false)).payload as { extensions: { code: string } }[];
    expect(error?.extensions.code).toBe('SUBSCRIPTION_SCHEMA_RELOAD');
  });
});
