// Where a subgraph takes subscriptions, and by which protocol: as its operator says, or what its own address lets suppose.
import { OperatorError } from '@weft/core/errors';

export const UPSTREAM_PROTOCOLS = ['graphql-transport-ws', 'graphql-sse'] as const;

/**
 * `graphql-transport-ws`: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. `graphql-sse`: distinct connections
 * of https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md.
 */
export type UpstreamProtocol = (typeof UPSTREAM_PROTOCOLS)[number];

/** As a manifest has it (`subscriptions`); what is left out is derived. */
export interface SubscriptionSetting {
  readonly url?: string | undefined;
  /** Default `graphql-transport-ws`. */
  readonly protocol?: UpstreamProtocol | undefined;
}

export interface SubscriptionAddress {
  readonly url: string;
  readonly protocol: UpstreamProtocol;
  /** Whether somebody registered it, so that it is checked where it leads; default: no, an operator wrote it. */
  readonly isGuarded?: boolean | undefined;
}

const SCHEMES: Readonly<Record<UpstreamProtocol, Readonly<Record<string, string>>>> = {
  'graphql-transport-ws': { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' },
  'graphql-sse': { 'http:': 'http:', 'https:': 'https:' },
};

/**
 * @param routingUrl where its queries go: http or https, made ws or wss for a WebSocket
 * @throws OperatorError when the address does not fit the protocol
 */
export function subscriptionAddress(
  system: string,
  routingUrl: string,
  setting: SubscriptionSetting = {},
): SubscriptionAddress {
  const { url = routingUrl, protocol = 'graphql-transport-ws' } = setting;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const schemes = SCHEMES[protocol];
  const scheme = parsed === undefined ? undefined : schemes[parsed.protocol];
  if (parsed === undefined || scheme === undefined) {
    const expected = Object.keys(schemes).map((name) => `${name}//`);
    throw new OperatorError(
      `the address for subscriptions of subgraph ${system} is ${JSON.stringify(url)}: expected ${expected.join(', ')}`,
      { exitCode: 2 },
    );
  }
  // Assigning `protocol` of a URL is refused between special and other schemes only; these are all special.
  parsed.protocol = scheme;
  parsed.hash = '';
  return { url: parsed.href, protocol };
}
