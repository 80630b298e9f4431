// What one GraphQL request carries through its resolvers: its deadline, its correlation id, its loaders.
import type { Telling } from '@weft/core/telling';
import type DataLoader from 'dataloader';
import { createOrigins, type Origins } from '../freshness/origin.ts';
import type { Row } from './connect.ts';
import type { RunningSystem } from './system.ts';

export interface RequestContext extends Omit<RequestOptions, 'telling'> {
  readonly system: RunningSystem;
  /** Aborts when the deadline passes or the client leaves. */
  readonly signal: AbortSignal;
  readonly correlationId: string;
  /** How old the parts of the answer are, and where they came from. */
  readonly origins: Origins;
  /** One loader a request and plan, made when first used. */
  readonly entityLoaders: Map<string, DataLoader<string, Row | null>>;
  readonly batchLoaders: Map<string, DataLoader<string, readonly Row[]>>;
}

/** What only some requests have. */
export interface RequestOptions {
  /** Who asks, as the gateway has signed it; undefined: nobody is known. */
  readonly asker?: string | undefined;
  /** What is told beside the answer. Default: only what is stale. */
  readonly telling?: Telling | undefined;
  /** Called at the moment when a call is handed to its client; what it throws keeps the call from being made. */
  readonly onSend?: (() => void) | undefined;
  /** Stores a mutation as a command and answers with its receipt; undefined where none can be stored. */
  readonly submitWrite?:
    | ((field: string, args: Readonly<Record<string, unknown>>) => Promise<Row>)
    | undefined;
}

const TELLS_STALE: Telling = { freshness: false, provenance: false };

/** A fresh context: nothing is shared between requests. */
export function createRequestContext(
  system: RunningSystem,
  signal: AbortSignal,
  correlationId: string,
  { telling = TELLS_STALE, ...options }: RequestOptions = {},
): RequestContext {
  const origins = createOrigins(telling);
  const loaders = { entityLoaders: new Map(), batchLoaders: new Map() };
  return { ...options, system, signal, correlationId, origins, ...loaders };
}
