// Subscriptions over graphql-transport-ws: which of them share a WebSocket, and how many WebSockets there are.
import type { AddressGuard } from '@weft/core/address-guard';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { guardAddress } from '../fetch/guarded-address.ts';
import { REQUEST_TYPE } from '../fetch/signing.ts';
import { createUpstreamSigner, headersFrom } from './authority-headers.ts';
import type { OpenChannel, UpstreamRequest } from './channel.ts';
import type { UpstreamLimits } from './limits.ts';
import { tooManyOf } from './refusals.ts';
import { createWsLink, type WsLink } from './ws-link.ts';

export interface Channels {
  /** @throws HubError LIMIT_EXCEEDED when the subgraph has as many connections as it may, INVALID_URL when it is not asked at its address */
  readonly open: OpenChannel;
  /** Connections that are open, or to be opened. */
  readonly connections: number;
  close(): Promise<void>;
}

export interface ChannelsOptions {
  readonly limits: UpstreamLimits;
  readonly logger: Logger;
  readonly subgraphKeys: readonly SubgraphKey[] | undefined;
  readonly addressGuard: AddressGuard | undefined;
}

export function createWsChannels(options: ChannelsOptions): Channels {
  /** By what makes a connection another one; several where one is full. */
  const links = new Map<string, Set<WsLink>>();
  const countOf = (system: string): number =>
    [...links].reduce((sum, [key, all]) => (key.startsWith(prefixOf(system)) ? sum + all.size : sum), 0);
  const linkFor = (request: UpstreamRequest): WsLink => {
    const key = keyOf(request);
    const all = links.getOrInsertComputed(key, () => new Set());
    const { operationsPerSocketMax, connectionsPerSystemMax } = options.limits;
    const free = [...all].find(({ size }) => size < operationsPerSocketMax);
    if (free !== undefined) return free;
    if (countOf(request.system) >= connectionsPerSystemMax) {
      if (all.size === 0) links.delete(key);
      throw tooManyOf(request.system, 'connectionsPerSystemMax', connectionsPerSystemMax);
    }
    const link = openLink(options, request, () => {
      all.delete(link);
      if (all.size === 0) links.delete(key);
    });
    all.add(link);
    return link;
  };
  return {
    open: (request, events) => linkFor(request).open(request, events),
    get connections() {
      return [...links.values()].reduce((sum, all) => sum + all.size, 0);
    },
    async close() {
      for (const all of links.values()) for (const link of all) link.close();
      links.clear();
    },
  };
}

function prefixOf(system: string): string {
  return `${JSON.stringify(system)} `;
}

function keyOf({ system, url, isGuarded, headers, authority: { roles, scopes } }: UpstreamRequest): string {
  return `${prefixOf(system)}${JSON.stringify([url, isGuarded === true, headers, roles, scopes])}`;
}

function openLink(
  { limits, logger, subgraphKeys, addressGuard }: ChannelsOptions,
  { system, url, isGuarded, headers, authority }: UpstreamRequest,
  onIdle: () => void,
): WsLink {
  const { lookup, refusal } = guardAddress(isGuarded === true ? addressGuard : undefined, system, url);
  if (refusal !== undefined) throw refusal;
  const sign = createUpstreamSigner(system, 'GET', new URL(url), subgraphKeys);
  const forwarded = headersFrom(headers);
  return createWsLink({
    system,
    url,
    headers: () => {
      const signed = headersFrom(sign('', authority));
      // The signature covers the type, also of a body that is empty.
      const type = Object.keys(signed).length === 0 ? {} : { 'content-type': REQUEST_TYPE };
      return { ...forwarded, ...type, ...signed };
    },
    // Many servers look for credentials here and not at the upgrade.
    payload: headers.length === 0 ? undefined : forwarded,
    lookup,
    limits,
    logger,
    onIdle,
  });
}
