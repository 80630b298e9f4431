// The two lines of a subscription, over the real event log.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@weft/core/logger';
import { createEventStreams } from '@weft/gateway/subscribe/event-streams';
import { attachWebSocket, type WebSocketTransport } from '@weft/gateway/websocket/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEchoEngine, LIVE_FIELD } from '../live/echo-engine.ts';
import { type LiveLog, openLiveLog, things } from '../live/live-log.ts';
import { connectClient } from '../live/ws-client.ts';
import { waitFor } from '../support/wait.ts';
import type { Line } from './observed-gateway.ts';

const TOPIC = 'observed';
const server = createServer();
const written: string[] = [];
let live: LiveLog;
let transport: WebSocketTransport;
let url: string;

beforeAll(async () => {
  live = await openLiveLog();
  const logger = createLogger('gateway', 'info', { write: (line) => written.push(line) });
  const engine = createEchoEngine({ topic: TOPIC });
  const keyRing = [{ id: 'k1', secret: 's'.repeat(32) }] as const;
  const streams = createEventStreams({ log: live.log, engine, keyRing, logger });
  transport = attachWebSocket({ server, engine: () => engine, streams, logger });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
});
afterAll(async () => {
  await transport?.close();
  server.close();
  await live?.close();
});
beforeEach(() => {
  written.splice(0);
});

const lines = () => written.map((line) => JSON.parse(line) as Line).filter(({ msg }) => msg === 'operation');

describe('a subscription', () => {
  it('has a line when it begins and one when its client ends it, with how many results it was sent', async () => {
    const client = await connectClient(url);
    const query = `subscription Live { ${LIVE_FIELD} { n } }`;
    client.send({ id: '1', type: 'subscribe', payload: { query, operationName: 'Live' } });
    await waitFor('the first line', async () => lines().length === 1);
    const [started] = lines();
    expect(started).toMatchObject({
      kind: 'subscription',
      outcome: 'started',
      operationName: 'Live',
      results: 0,
    });
    expect(started).not.toHaveProperty('durationMs');
    // Nothing says when it stands in the stream: things are appended until two have come.
    let received = 0;
    for (let first = 1; received < 2; first += 1) {
      await live.append(TOPIC, ...things(TOPIC, first, first));
      received += await client.next().then(
        () => 1,
        () => 0,
      );
    }
    client.send({ id: '1', type: 'complete' });
    await waitFor('the second line', async () => lines().length === 2);
    expect(lines()[1]).toMatchObject({
      traceId: started?.traceId,
      kind: 'subscription',
      outcome: 'ok',
      errors: 0,
      results: expect.any(Number),
      durationMs: expect.any(Number),
    });
    expect(lines()[1]?.results).toBeGreaterThanOrEqual(2);
    await client.close();
  });

  it('has its last line too when the client is gone without a word', async () => {
    const client = await connectClient(url);
    client.send({ id: '1', type: 'subscribe', payload: { query: `subscription { ${LIVE_FIELD} { n } }` } });
    await waitFor('the first line', async () => lines().length === 1);
    client.socket.terminate();
    await waitFor('the second line', async () => lines().length === 2);
    expect(lines()[1]).toMatchObject({ outcome: 'ok', traceId: lines()[0]?.traceId });
  });

  it('is failed, with the code, where its cursor is refused', async () => {
    const client = await connectClient(url);
    const after = { after: 'no cursor of ours' };
    const payload = { query: `subscription ($after: String) { ${LIVE_FIELD} { n } }`, variables: after };
    client.send({ id: '1', type: 'subscribe', payload });
    await client.next();
    await waitFor('its last line', async () => lines().some(({ outcome }) => outcome !== 'started'));
    expect(lines().at(-1)).toMatchObject({ outcome: 'failed', code: 'INVALID_CURSOR', errors: 1 });
    await client.close();
  });
});
