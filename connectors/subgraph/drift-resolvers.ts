// Resolvers of the subgraph `connectors` for what is known of the systems' contracts.
import DataLoader from 'dataloader';
import { readDrift, type StoredDrift } from '../drift/drift-store.ts';
import type { Store } from '../ingest/store.ts';
import type { OwnContext } from './own-subgraph.ts';

export type DriftLoader = DataLoader<string, readonly StoredDrift[]>;

/** Systems in one statement, at the most. */
const BATCH_MAX = 500;

/** For one request. */
export function createDriftLoader(store: Store): DriftLoader {
  return new DataLoader(
    async (systems) => {
      const found = await readDrift(store, systems);
      return systems.map((system) => found.get(system) ?? []);
    },
    { maxBatchSize: BATCH_MAX },
  );
}

/** Type to field to resolver; times go out as RFC 3339. */
export function driftResolvers() {
  return {
    System: {
      __resolveReference: ({ name }: { readonly name: string }) => ({ name }),
      contracts: ({ name }: { readonly name: string }, _: unknown, { driftLoader }: OwnContext) =>
        driftLoader.load(name),
    },
    SourceContract: {
      hash: ({ contractHash }: StoredDrift) => contractHash,
      drift: (stored: StoredDrift) => stored,
    },
    ContractDrift: {
      checkedAt: ({ checkedAt }: StoredDrift) => checkedAt.toISOString(),
      changedAt: ({ changedAt }: StoredDrift) => changedAt.toISOString(),
    },
  };
}
