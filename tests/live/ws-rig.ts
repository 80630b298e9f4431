// A gateway's WebSocket transport over the smallest engine, as its tests run it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import type { Identity } from '@weft/gateway/identity/identity';
import { createEventStreams, type EventStreams } from '@weft/gateway/subscribe/event-streams';
import type { FanOutLimits } from '@weft/gateway/subscribe/limits';
import type { WebSocketLimits } from '@weft/gateway/websocket/limits';
import { attachWebSocket, type WebSocketTransport } from '@weft/gateway/websocket/server';
import { createEchoEngine, type EchoEngineOptions } from './echo-engine.ts';
import { connectClient, openClient, type WsClient } from './ws-client.ts';

const logger = createLogger('test', 'silent');

export interface Running {
  readonly url: string;
  readonly transport: WebSocketTransport;
  readonly streams: EventStreams;
  connect(): Promise<WsClient>;
  open(protocols?: string[]): Promise<WsClient>;
}

export interface RunOptions {
  readonly log: EventLog;
  readonly engine?: Partial<EchoEngineOptions>;
  readonly limits?: Partial<WebSocketLimits>;
  readonly streamLimits?: Partial<FanOutLimits>;
  readonly withoutLog?: boolean;
  readonly identity?: Pick<Identity, 'identifyConnection' | 'watchEnd'>;
}

/** @param cleanups get what ends it, to be called from the last to the first */
export async function runTransport(
  options: RunOptions,
  cleanups: (() => Promise<unknown>)[],
): Promise<Running> {
  const engine = createEchoEngine({ topic: 'ws', ...options.engine });
  const keyRing = [{ id: 'k1', secret: 's'.repeat(32) }] as const;
  const { log, streamLimits, identity } = options;
  const streams = createEventStreams({ log, engine, keyRing, logger, limits: streamLimits });
  const server = createServer();
  const transport = attachWebSocket({
    server,
    engine: () => engine,
    streams: options.withoutLog === true ? undefined : streams,
    logger,
    limits: options.limits ?? {},
    identity,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => transport.close(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const kept = (client: WsClient) => {
    cleanups.push(() => client.close());
    return client;
  };
  return {
    url,
    transport,
    streams,
    connect: async () => kept(await connectClient(url)),
    open: async (protocols) => kept(await openClient(url, protocols === undefined ? {} : { protocols })),
  };
}

export const subscribe = (id: string, query: string, variables?: object) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
});
