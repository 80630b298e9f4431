// Subscriptions of subgraphs: one upstream for all who ask the same, opened by the first and ended after the last.
import type { AddressGuard } from '@weft/core/address-guard';
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import type { PrimaryResult } from '../engine.ts';
import { ENGINE_LIMITS, type EngineLimits } from '../limits.ts';
import type { OpenChannel, UpstreamRequest } from './channel.ts';
import { UPSTREAM_LIMITS, type UpstreamLimits } from './limits.ts';
import type { UpstreamProtocol } from './settings.ts';
import { createSharedSubscription, type SharedSubscription } from './shared-subscription.ts';
import { createSseChannels } from './sse-channel.ts';
import { type Channels, createWsChannels } from './ws-channel.ts';

/**
 * `UPSTREAM_LOST`: nothing arrives from now on, and what was shown last may be out of date. `UPSTREAM_RECONNECTED`: what happened
 * since was missed, and from now on everything arrives again. They come in turn.
 */
export type UpstreamGap = 'UPSTREAM_LOST' | 'UPSTREAM_RECONNECTED';

/** None of these may throw. */
export interface UpstreamListener {
  /** @param result shared by all who listen: it must not be changed */
  onResult(result: PrimaryResult): void;
  onGap(reason: UpstreamGap): void;
  /** Once, and nothing after it; undefined: the subgraph completed it. */
  onEnd(error: HubError | undefined): void;
}

export interface UpstreamSubscriptions {
  /**
   * Joins the upstream subscription that is equal in everything, or opens it. What it brings from now on is told to the
   * listener, never within this call. The returned function ends it and may be called twice.
   * @throws HubError LIMIT_EXCEEDED naming the limit
   */
  subscribe(request: UpstreamRequest, listener: UpstreamListener): () => void;
  /** What is open at the moment. */
  readings(): UpstreamReadings;
  /** Ends all, and tells nobody. */
  close(): Promise<void>;
}

export interface UpstreamReadings {
  /** Upstream subscriptions. */
  readonly subscriptions: number;
  /** Who listens to them. */
  readonly listeners: number;
  /** WebSockets, and streams over HTTP. */
  readonly connections: number;
}

export interface UpstreamOptions {
  readonly logger: Logger;
  readonly limits?: Partial<UpstreamLimits> | undefined;
  readonly engineLimits?: Partial<EngineLimits> | undefined;
  /** That upgrades and requests are signed with; default none. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  /** For addresses that are guarded; default: none is refused. */
  readonly addressGuard?: AddressGuard | undefined;
  /** Whether messages of errors without a code of ours are logged and not told; default false. */
  readonly keepsBackOwnWords?: boolean | undefined;
}

export function createUpstreamSubscriptions(options: UpstreamOptions): UpstreamSubscriptions {
  const limits: UpstreamLimits = { ...UPSTREAM_LIMITS, ...options.limits };
  const engineLimits: EngineLimits = { ...ENGINE_LIMITS, ...options.engineLimits };
  const { logger, subgraphKeys, addressGuard, keepsBackOwnWords = false } = options;
  const channels: Readonly<Record<UpstreamProtocol, Channels>> = {
    'graphql-transport-ws': createWsChannels({ limits, logger, subgraphKeys, addressGuard }),
    'graphql-sse': createSseChannels({ limits, logger, subgraphKeys, addressGuard }),
  };
  const shared = new Map<string, SharedSubscription>();
  const open: OpenChannel = (request, events) => channels[request.protocol].open(request, events);
  const start = (key: string, request: UpstreamRequest): SharedSubscription => {
    if (shared.size >= limits.subscriptionsMax) throw tooMany('subscriptionsMax', limits.subscriptionsMax);
    const subscription = createSharedSubscription({
      request,
      open,
      limits,
      engineLimits,
      hidesUncoded: keepsBackOwnWords,
      logger,
      onOver: () => {
        if (shared.get(key) === subscription) shared.delete(key);
      },
    });
    shared.set(key, subscription);
    return subscription;
  };
  return {
    subscribe(request, listener) {
      const key = keyOf(request);
      const subscription = shared.get(key) ?? start(key, request);
      if (subscription.listeners >= limits.listenersMax) throw tooMany('listenersMax', limits.listenersMax);
      return subscription.join(listener);
    },
    readings: () => ({
      subscriptions: shared.size,
      listeners: [...shared.values()].reduce((sum, { listeners }) => sum + listeners, 0),
      connections: Object.values(channels).reduce((sum, { connections }) => sum + connections, 0),
    }),
    async close() {
      for (const subscription of [...shared.values()]) subscription.close();
      await Promise.all(Object.values(channels).map((all) => all.close()));
    },
  };
}

/** Two requests that differ in any of it are two subscriptions. */
function keyOf(request: UpstreamRequest): string {
  const { system, url, protocol, isGuarded, document, operationName, headers, authority, variables } =
    request;
  const { roles, scopes } = authority;
  const sorted = Object.keys(variables).sort();
  const values = sorted.map((name) => [name, variables[name]]);
  const place = [system, url, protocol, isGuarded === true];
  return JSON.stringify([...place, document, operationName, headers, roles, scopes, values]);
}

function tooMany(limit: string, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `more than ${max} subscriptions to subgraphs are open here`, {
    retryable: true,
    details: { limit },
  });
}
