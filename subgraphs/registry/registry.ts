// The subgraph registry: which systems take part, in which version, who let them in, and how they are.
import type { KeyObject } from 'node:crypto';
import { createAddressGuard } from '@weft/core/address-guard';
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import { openRegistryChecks, type RegistryChecks } from '@weft/schema/registry-checks';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { openStore } from '../store.ts';
import { readActor } from './actor.ts';
import { PrismaClient } from './generated/client.ts';
import { createRegistryLoaders } from './loaders.ts';
import { announcePresence, type Presence } from './presence.ts';
import { startProjection } from './projection.ts';
import { createRegistryResolvers } from './resolvers.ts';
import { seedRegistry } from './seed.ts';
import { createSupergraphSigner } from './supergraph.ts';
import { startTrimming } from './trim.ts';
import { renewVariants, type Variants } from './variants.ts';

/** The registry, which can also tell of the subgraphs that are served beside it. */
export interface Registry extends OwnedSubgraph {
  announce(systems: readonly { readonly name: string; readonly title: string }[]): Promise<Presence>;
}

export interface RegistryOptions {
  /** Ed25519, with which the graph is signed for gateways; undefined: they are given nothing. */
  readonly signingKey?: KeyObject | undefined;
  /** `host:port` of systems that need not be public; default none. */
  readonly allowedHosts?: ReadonlySet<string> | undefined;
  /** The manifest of what the checkout stores; undefined: nothing is registered at start. */
  readonly seedFile?: string | undefined;
  /** By tags, besides `current`; default none. */
  readonly variants?: Variants | undefined;
  /** Default: all that is known, in a thread. */
  readonly checks?: RegistryChecks | undefined;
}

/**
 * Opens the store, registers what the checkout stores, and starts the projection of the topic system.
 * @throws OperatorError when the seed cannot be read
 */
export async function openRegistry(
  databaseUrl: string,
  log: EventLog,
  logger: Logger,
  options: RegistryOptions = {},
): Promise<Registry> {
  const { signingKey, allowedHosts = new Set(), seedFile, variants = {} } = options;
  const { checks = openRegistryChecks() } = options;
  const prisma = new PrismaClient({ adapter: openStore(databaseUrl, 'registry', logger) });
  const guard = createAddressGuard({ allowedHosts, setting: 'WEFT_REGISTRY_ALLOWED_HOSTS' });
  const parts = { prisma, logger, guard, checks, variants };
  const signer = signingKey === undefined ? undefined : createSupergraphSigner(signingKey);
  const closeStore = async () => {
    await checks.close();
    await prisma.$disconnect();
  };
  try {
    if (seedFile !== undefined) await seedRegistry(parts, seedFile);
    await renewVariants(parts);
  } catch (thrown) {
    await closeStore();
    throw thrown;
  }
  const projection = startProjection(prisma, log, logger);
  const trimming = startTrimming(prisma, logger);
  return {
    name: 'registry',
    title: '系统登记',
    sdlFile: new URL('./schema.graphql', import.meta.url),
    resolvers: createRegistryResolvers(parts, signer),
    createContext: (principal) => ({
      loaders: createRegistryLoaders(prisma),
      actor: readActor(principal),
    }),
    announce: (systems) => announcePresence(prisma, systems, logger),
    close: async () => {
      await trimming.close();
      await projection.close();
      await closeStore();
    },
  };
}
