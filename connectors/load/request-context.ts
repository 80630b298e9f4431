// What one GraphQL request carries through its resolvers: its deadline, its correlation id, its loaders.
import type DataLoader from 'dataloader';
import type { Row } from './connect.ts';
import type { RunningSystem } from './system.ts';

export interface RequestContext {
  readonly system: RunningSystem;
  /** Aborts when the deadline passes or the client leaves. */
  readonly signal: AbortSignal;
  readonly correlationId: string;
  /** One loader a request and plan, made when first used. */
  readonly entityLoaders: Map<string, DataLoader<string, Row | null>>;
  readonly batchLoaders: Map<string, DataLoader<string, readonly Row[]>>;
}

/** A fresh context: nothing is shared between requests. */
export function createRequestContext(
  system: RunningSystem,
  signal: AbortSignal,
  correlationId: string,
): RequestContext {
  return { system, signal, correlationId, entityLoaders: new Map(), batchLoaders: new Map() };
}
