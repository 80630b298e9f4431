// One execution of a compiled operation: what its steps share.
import type { Logger } from '@weft/core/logger';
import type { GraphQLSchema } from 'graphql';
import type { ClientSelection } from '../execute/client-paths.ts';
import type { Variables } from '../execute/collect-fields.ts';
import type { DataObject } from '../execute/data.ts';
import type { ErrorList } from '../execute/error-list.ts';
import type { ToldList } from '../execute/told-list.ts';
import type { FetchContext, SubgraphClient } from '../fetch/subgraph-client.ts';
import type { EntityBatches } from './entity-batches.ts';
import type { CompiledFetch } from './fetches.ts';
import type { UnresolvedEntities } from './unresolved.ts';

export interface Run {
  readonly client: SubgraphClient;
  /** For events: entity requests of several go as one. */
  readonly batches: EntityBatches | undefined;
  /** The supergraph's whole schema. */
  readonly schema: GraphQLSchema;
  readonly operation: ClientSelection;
  /** Coerced, defaults filled in. */
  readonly variables: Variables;
  /** Grows while steps are run. */
  readonly data: DataObject;
  readonly errors: ErrorList;
  /** How old parts of the answer are, and where they came from. */
  readonly told: ToldList;
  readonly context: FetchContext;
  readonly logger: Logger;
  /** By number of the group: fetches that wait to be sent together. */
  readonly gatherings: (Gathering | undefined)[];
  /** Under way, and needed by nothing but the end. */
  readonly unawaited: Promise<void>[];
  /** By number of the fetch: it was answered whole, without an error. */
  readonly isWhole: boolean[];
  /** By number of the fetch: it is under way, and others may take from it. Never rejects. */
  readonly underWay: (Promise<void> | undefined)[];
  /** By number of the source: its objects by their key. */
  readonly known: (ReadonlyMap<unknown, DataObject> | undefined)[];
  readonly unresolved: UnresolvedEntities;
  /** Told of each fetch with an `id` when it is done, however it ended, or had nothing to ask. */
  onFetched?: ((id: string) => void) | undefined;
}

/** An entity fetch that is ready, and the objects that it is for. */
export interface ReadyFetch {
  readonly fetch: CompiledFetch;
  readonly objects: readonly DataObject[];
}

export interface Gathering {
  /** Members of the group that are not ready yet. */
  missing: number;
  ready: ReadyFetch[];
  timer: NodeJS.Timeout | undefined;
  sent: PromiseWithResolvers<void> | undefined;
}
