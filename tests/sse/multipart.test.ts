// Laws of Apollo's multipart subscriptions, asked by a raw client of a real gateway over a real log.
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  LAMP_CHANGED,
  LAMPS_SDL,
  type LampChanged,
  type Lamps,
  type LampsGateway,
  type LampsGatewayOptions,
  startLamps,
} from '../support/lamps.ts';
import { nextPart, openStream, type StreamClient } from './stream-client.ts';

/** As Apollo Client 4 sends it. */
const ACCEPT =
  'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9';
const STREET = 'parts';

/** Gateways are started, which takes a machine that has much to do its time. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lamps: Lamps;
/** For what changes nothing of it. */
let shared: LampsGateway;
beforeAll(async () => {
  lamps = await startLamps();
  shared = await lamps.gateway();
});
afterAll(() => lamps?.close());

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(options: LampsGatewayOptions = {}): Promise<LampsGateway> {
  const gateway = await lamps.gateway(options);
  cleanups.push(gateway.close);
  return gateway;
}

async function open(gateway: LampsGateway, accept = ACCEPT): Promise<StreamClient> {
  const variables = { street: STREET };
  const client = await openStream({
    url: gateway.graphql,
    query: LAMP_CHANGED,
    variables,
    headers: { accept },
  });
  cleanups.push(client.close);
  if (client.status === 200) expect(await client.upTo('\r\n--graphql')).toBe('');
  return client;
}

let changes = 0;
/** Changes lamps until one is told. */
async function firstLamp(client: StreamClient): Promise<unknown> {
  const first = nextPart(client);
  let isThere = false;
  first.finally(() => (isThere = true)).catch(() => undefined);
  for (; !isThere && changes < 2_000; changes += 1) {
    await lamps.change(STREET, [`p${changes}`]);
    await wait(5);
  }
  return first;
}

interface EndPart {
  readonly payload: object | null;
  readonly errors?: readonly object[];
}

/** The first part that has no result: results that were still under way come before it. */
async function endOf(client: StreamClient): Promise<EndPart> {
  for (;;) {
    const part = (await nextPart(client)) as EndPart;
    if (part.payload === null) return part;
  }
}

describe('a multipart subscription', () => {
  it.each([ACCEPT, 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0", application/json'])(
    'answers to %s in parts that wrap the result',
    async (accept) => {
      const client = await open(shared, accept);
      expect(client.headers['content-type']).toBe(
        'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
      );
      const part = (await firstLamp(client)) as { readonly payload: { readonly data: LampChanged } };
      expect(part.payload.data.lampChanged.lamp).toMatchObject({
        colour: expect.stringMatching(/^colour p\d+$/),
      });
      expect(Object.keys(part)).toEqual(['payload']);
    },
  );

  it('is kept alive by empty parts', async () => {
    const client = await open(await start({ limits: { heartbeatMs: 30 } }));
    for (let n = 0; n < 3; n += 1)
      expect(await client.upTo('\r\n--graphql')).toBe('\r\ncontent-type: application/json\r\n\r\n{}');
  });

  it('ends with the error and the last delimiter, when the graph has it no more and when the gateway goes', async () => {
    const first = await start();
    const reloaded = await open(first);
    await firstLamp(reloaded);
    await first.reloadWith(LAMPS_SDL.replace('colour: String', 'power: Int'));
    const ended = await endOf(reloaded);
    const extensions = { code: 'SUBSCRIPTION_SCHEMA_RELOAD', traceId: expect.any(String) };
    expect(ended).toMatchObject({ payload: null, errors: [{ extensions }] });
    expect(await reloaded.upTo('--\r\n')).toBe('');
    const second = await start();
    const left = await open(second);
    await second.close();
    expect(await endOf(left)).toMatchObject({
      payload: null,
      errors: [{ extensions: { code: 'CANCELLED' } }],
    });
    expect(await left.upTo('--\r\n')).toBe('');
    expect(await left.ended).toBe(true);
  });

  it.each(['multipart/mixed;deferSpec=20220824', 'multipart/mixed;subscriptionSpec=2.0, application/json'])(
    'is not what %s asks for',
    async (accept) => {
      const client = await open(shared, accept);
      expect(client.status).toBe(400);
    },
  );
});
