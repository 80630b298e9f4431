// Resolvers of the subgraph `connectors` for commands.
import { HubError } from '@weft/core/errors';
import DataLoader from 'dataloader';
import type { Command } from '../commands/command.ts';
import {
  type Attempt,
  decodeCommandCursor,
  encodeCommandCursor,
  listCommands,
  PAGE_COMMANDS_MAX,
  readAttempts,
  readCommands,
} from '../commands/reads.ts';
import type { CommandState } from '../commands/states.ts';
import type { Store } from '../ingest/store.ts';
import type { OwnContext } from './own-subgraph.ts';

export interface CommandLoaders {
  readonly commands: DataLoader<string, Command | null>;
  readonly attempts: DataLoader<string, readonly Attempt[]>;
}

/** Keys in one statement, at the most. */
const BATCH_MAX = 500;
const PAGE_COMMANDS_USUAL = 20;

/** For one request. */
export function createCommandLoaders(store: Store): CommandLoaders {
  return {
    commands: new DataLoader<string, Command | null>(
      async (ids) => {
        const found = await readCommands(store, ids);
        return ids.map((id) => found.get(id) ?? null);
      },
      { maxBatchSize: BATCH_MAX },
    ),
    attempts: new DataLoader<string, readonly Attempt[]>(
      async (ids) => {
        const found = await readAttempts(store, ids);
        return ids.map((id) => found.get(id) ?? []);
      },
      { maxBatchSize: BATCH_MAX },
    ),
  };
}

interface CommandsArguments {
  readonly system?: string | null;
  readonly state?: CommandState | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** Type to field to resolver; times go out as RFC 3339. */
export function commandResolvers() {
  return {
    Query: {
      command: (_: unknown, { id }: { readonly id: string }, { loaders }: OwnContext) =>
        loaders.commands.load(id),
      commands: async (_: unknown, args: CommandsArguments, { parts }: OwnContext) => {
        const first = requireFirst(args.first);
        const after = typeof args.after === 'string' ? decodeCommandCursor(args.after) : undefined;
        const page = await listCommands(parts.store, args, first, after);
        const edges = page.commands.map((node) => ({ cursor: encodeCommandCursor(node), node }));
        return {
          edges,
          pageInfo: { hasNextPage: page.hasNextPage, endCursor: edges.at(-1)?.cursor ?? null },
        };
      },
    },
    Mutation: {
      redriveCommand: (
        _: unknown,
        { id, force }: { readonly id: string; readonly force?: boolean | null },
        { parts }: OwnContext,
      ) => parts.commands.redrive(id, force ?? false),
      discardCommand: (_: unknown, { id }: { readonly id: string }, { parts }: OwnContext) =>
        parts.commands.discard(id),
      confirmCommand: (
        _: unknown,
        { id, upstreamRef }: { readonly id: string; readonly upstreamRef?: string | null },
        { parts }: OwnContext,
      ) => parts.commands.confirm(id, upstreamRef ?? null),
    },
    Command: {
      __resolveReference: ({ id }: { readonly id: string }, { loaders }: OwnContext) =>
        loaders.commands.load(id),
      system: ({ system }: Command) => ({ name: system }),
      nextAt: ({ nextAt }: Command) => nextAt?.toISOString() ?? null,
      createdAt: ({ createdAt }: Command) => createdAt.toISOString(),
      updatedAt: ({ updatedAt }: Command) => updatedAt.toISOString(),
      attempts: ({ id }: Command, _: unknown, { loaders }: OwnContext) => loaders.attempts.load(id),
    },
    CommandAttempt: {
      at: ({ at }: Attempt) => at.toISOString(),
      endedAt: ({ endedAt }: Attempt) => endedAt?.toISOString() ?? null,
    },
  };
}

function requireFirst(first: number | null | undefined): number {
  const wanted = first ?? PAGE_COMMANDS_USUAL;
  const details = { argument: 'first' };
  if (wanted < 0)
    throw new HubError('BAD_USER_INPUT', `first: expected 0 to ${PAGE_COMMANDS_MAX}, got ${wanted}`, {
      details,
    });
  if (wanted <= PAGE_COMMANDS_MAX) return wanted;
  throw new HubError('LIMIT_EXCEEDED', `first: at most ${PAGE_COMMANDS_MAX} a page, got ${wanted}`, {
    details: { ...details, limit: 'PAGE_COMMANDS_MAX', max: PAGE_COMMANDS_MAX, got: wanted },
  });
}
