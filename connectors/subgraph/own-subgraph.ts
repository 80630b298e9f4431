// The hub's own subgraph `connectors`: what the connector host knows besides what the old systems say.
import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { splitEventStreams } from '@weft/schema/event-streams';
import type { GraphQLSchema } from 'graphql';
import type { Commands } from '../commands/commands.ts';
import type { ReplayOptions } from '../ingest/replay.ts';
import type { Store } from '../ingest/store.ts';
import type { RunningSystem } from '../load/system.ts';
import { budgetResolvers } from './budget-resolvers.ts';
import { type CommandLoaders, commandResolvers, createCommandLoaders } from './command-resolvers.ts';
import { createDriftLoader, type DriftLoader, driftResolvers } from './drift-resolvers.ts';
import { overviewResolvers } from './overview-resolvers.ts';
import { quarantineResolvers } from './quarantine-resolvers.ts';

/** Its name in the supergraph and in the path of its address; no folder of a wrapped system may have it. */
export const CONNECTORS_SUBGRAPH = 'connectors';

const SDL_FILE = new URL('./schema.graphql', import.meta.url);

/** The stored SDL, with its live fields: what is composed. */
export function readConnectorsSdl(): string {
  return readFileSync(SDL_FILE, 'utf8');
}

/** What its resolvers work on; the host opens and closes it. */
export interface OwnSubgraphParts {
  /** All that the host serves. */
  readonly systems: readonly RunningSystem[];
  readonly store: Store;
  readonly commands: Commands;
  /** What a replay goes by. */
  readonly replay: Omit<ReplayOptions, 'store'>;
}

/** What the resolvers of one request share. */
export interface OwnContext {
  readonly parts: OwnSubgraphParts;
  readonly loaders: CommandLoaders;
  /** Who asks, as `principalOf` names them; empty for the anonymous. */
  readonly principal: string;
  readonly driftLoader: DriftLoader;
  /** Laid beside the systems' logs. */
  readonly correlationId: string;
}

/** Its executable schema: live fields are answered by the gateway from the event log. */
export function buildOwnSchema(): GraphQLSchema {
  const { servedDocument: typeDefs } = splitEventStreams(readConnectorsSdl(), SDL_FILE.pathname);
  return buildSubgraphSchema([{ typeDefs, resolvers: ownResolvers() }]);
}

function ownResolvers() {
  const [commands, quarantine] = [commandResolvers(), quarantineResolvers()];
  const [drift, budgets] = [driftResolvers(), budgetResolvers()];
  return {
    ...overviewResolvers(),
    ...drift,
    ...budgets,
    ...commands,
    ...quarantine,
    System: { ...drift.System, ...budgets.System },
    Query: { ...commands.Query, ...quarantine.Query },
    Mutation: { ...commands.Mutation, ...quarantine.Mutation },
  };
}

/** A fresh context: nothing is shared between requests. */
export function createOwnContext(
  parts: OwnSubgraphParts,
  principal: string,
  correlationId: string,
): OwnContext {
  return {
    parts,
    loaders: createCommandLoaders(parts.store),
    driftLoader: createDriftLoader(parts.store),
    principal,
    correlationId,
  };
}
