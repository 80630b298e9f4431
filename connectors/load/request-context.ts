// What one GraphQL request carries through its resolvers: its deadline, its correlation id, its loaders.
import type DataLoader from 'dataloader';
import type { Row } from './connect.ts';
import type { RunningSystem } from './system.ts';

export interface RequestContext extends RequestOptions {
  readonly system: RunningSystem;
  /** Aborts when the deadline passes or the client leaves. */
  readonly signal: AbortSignal;
  readonly correlationId: string;
  /** One loader a request and plan, made when first used. */
  readonly entityLoaders: Map<string, DataLoader<string, Row | null>>;
  readonly batchLoaders: Map<string, DataLoader<string, readonly Row[]>>;
}

/** What only some requests have. */
export interface RequestOptions {
  /** Called at the moment when a call is handed to its client; what it throws keeps the call from being made. */
  readonly onSend?: (() => void) | undefined;
  /** Stores a mutation as a command and answers with its receipt; undefined where none can be stored. */
  readonly submitWrite?:
    | ((field: string, args: Readonly<Record<string, unknown>>) => Promise<Row>)
    | undefined;
}

/** A fresh context: nothing is shared between requests. */
export function createRequestContext(
  system: RunningSystem,
  signal: AbortSignal,
  correlationId: string,
  options: RequestOptions = {},
): RequestContext {
  return {
    ...options,
    system,
    signal,
    correlationId,
    entityLoaders: new Map(),
    batchLoaders: new Map(),
  };
}
