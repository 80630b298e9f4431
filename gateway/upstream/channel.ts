// What the protocols have in common: a subscription that is kept open at a subgraph, and who is told of it.
import type { HubError } from '@weft/core/errors';
import type { ForwardedHeaders } from '../fetch/forwarded-headers.ts';
import type { SubscriptionAddress } from './settings.ts';

/** What a subgraph may know of those for whom it is asked: they are many, and the same in this. */
export interface GroupAuthority {
  /** In alphabetical order. */
  readonly roles: readonly string[];
  /** In alphabetical order. */
  readonly scopes: readonly string[];
}

/** One subscription as a subgraph is asked for it. */
export interface UpstreamRequest extends SubscriptionAddress {
  /** The subgraph's name in the supergraph. */
  readonly system: string;
  readonly document: string;
  readonly operationName: string | undefined;
  /** As JSON has them. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly authority: GroupAuthority;
  /** As `createHeaderPicker` picked them: names and values in turn. */
  readonly headers: ForwardedHeaders;
}

/** Told of one subscription, in order, and nothing after `onEnd`. None of them may throw. */
export interface ChannelEvents {
  /** The subgraph has read the subscription: for the first time, or again. */
  onEstablished(): void;
  /** The payload of one result, parsed. */
  onResult(payload: unknown): void;
  /** The connection is lost, or could not be made: it is opened again. Told at every failed try. */
  onLost(error: HubError): void;
  /** GraphQL errors end it. */
  onErrors(errors: readonly unknown[]): void;
  /** It is over: completed, or refused for good. */
  onEnd(error: HubError | undefined): void;
}

/** Keeps a subscription open until it ends, or the returned function is called; nothing is told after that. */
export type OpenChannel = (request: UpstreamRequest, events: ChannelEvents) => () => void;
