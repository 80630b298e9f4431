// Resolvers of the subgraph `connectors` for what is in quarantine.
import { discardQuarantined, listQuarantined, type QuarantinedItem } from '../ingest/quarantine-book.ts';
import { replayQuarantined } from '../ingest/replay.ts';
import type { OwnContext } from './own-subgraph.ts';

const PAGE_ITEMS_USUAL = 20;

interface QuarantineArguments {
  readonly system?: string | null;
  readonly type?: string | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** Type to field to resolver; times go out as RFC 3339. */
export function quarantineResolvers() {
  return {
    Query: {
      quarantine: async (_: unknown, args: QuarantineArguments, { parts }: OwnContext) => {
        const { system, type, first, after } = args;
        const page = await listQuarantined(
          parts.store,
          { system, type },
          first ?? PAGE_ITEMS_USUAL,
          after ?? undefined,
        );
        return {
          edges: page.items.map((node, index) => ({ cursor: page.cursors[index], node })),
          pageInfo: { hasNextPage: page.hasNextPage, endCursor: page.endCursor },
        };
      },
    },
    Mutation: {
      replayQuarantined: (_: unknown, { id }: { readonly id: string }, { parts }: OwnContext) =>
        replayQuarantined({ ...parts.replay, store: parts.store }, id),
      discardQuarantined: (
        _: unknown,
        { id, why }: { readonly id: string; readonly why: string },
        { parts, principal }: OwnContext,
      ) => discardQuarantined(parts.store, id, { by: principal === '' ? 'anonymous' : principal, why }),
    },
    QuarantinedItem: {
      system: ({ system }: QuarantinedItem) => ({ name: system }),
      receivedAt: ({ receivedAt }: QuarantinedItem) => receivedAt.toISOString(),
      attemptedAt: ({ attemptedAt }: QuarantinedItem) => attemptedAt?.toISOString() ?? null,
      discardedAt: ({ discardedAt }: QuarantinedItem) => discardedAt?.toISOString() ?? null,
    },
  };
}
