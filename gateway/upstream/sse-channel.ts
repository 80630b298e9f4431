// Subscriptions over GraphQL over SSE: each is a request of its own, over sockets that no query uses.
import type { LookupFunction } from 'node:net';
import { Pool } from 'undici';
import { guardAddress } from '../fetch/guarded-address.ts';
import { createUpstreamSigner, type SignUpstream } from './authority-headers.ts';
import type { UpstreamRequest } from './channel.ts';
import type { UpstreamLimits } from './limits.ts';
import { tooManyOf } from './refusals.ts';
import { openSseStream } from './sse-stream.ts';
import type { Channels, ChannelsOptions } from './ws-channel.ts';

interface Place {
  readonly pool: Pool;
  readonly sign: SignUpstream;
  /** How to end each stream. */
  readonly streams: Set<() => void>;
}

export function createSseChannels(options: ChannelsOptions): Channels {
  const { limits, logger, subgraphKeys, addressGuard } = options;
  const places = new Map<string, Place>();
  const placeOf = (key: string, { system, url, isGuarded }: UpstreamRequest): Place =>
    places.getOrInsertComputed(key, () => {
      const { lookup, refusal } = guardAddress(isGuarded === true ? addressGuard : undefined, system, url);
      if (refusal !== undefined) throw refusal;
      return {
        pool: openPool(new URL(url).origin, limits, lookup),
        sign: createUpstreamSigner(system, 'POST', new URL(url), subgraphKeys),
        streams: new Set(),
      };
    });
  return {
    open(request, events) {
      const { system, url, isGuarded, authority } = request;
      const key = JSON.stringify([system, url, isGuarded === true]);
      const place = placeOf(key, request);
      const { pool, sign, streams } = place;
      if (streams.size >= limits.connectionsPerSystemMax)
        throw tooManyOf(system, 'connectionsPerSystemMax', limits.connectionsPerSystemMax);
      const leave = openSseStream({
        dispatcher: pool,
        request,
        events,
        limits,
        sign: (body) => sign(body, authority),
        onIdle: () => {
          streams.delete(leave);
          if (streams.size > 0) return;
          places.delete(key);
          pool
            .destroy()
            .catch((thrown: unknown) => logger.debug({ err: thrown, system }, 'a pool was not closed'));
        },
      });
      streams.add(leave);
      return leave;
    },
    get connections() {
      return [...places.values()].reduce((sum, { streams }) => sum + streams.size, 0);
    },
    async close() {
      for (const { streams } of places.values()) for (const leave of streams) leave();
    },
  };
}

function openPool(origin: string, limits: UpstreamLimits, lookup: LookupFunction | undefined): Pool {
  return new Pool(origin, {
    connections: limits.connectionsPerSystemMax,
    pipelining: 1,
    allowH2: false,
    // A dead host is noticed by the system's own probes too, where a server sends no comments.
    connect: {
      timeout: limits.handshakeTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_INITIAL_MS,
      ...(lookup && { lookup }),
    },
    // Each stream has its own timers, for its head and for its silence.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

const KEEP_ALIVE_INITIAL_MS = 10_000;
