// The subgraph incidents: the incident library (事件库) with its intake and its watch over deadlines.
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { openStore } from '../store.ts';
import { type AnonymousMay, readActor } from './actor.ts';
import { startDuplicateWatch } from './duplicates.ts';
import { PrismaClient } from './generated/client.ts';
import { startIntake } from './intake.ts';
import { createIncidentLoaders } from './loaders.ts';
import { startOverdueWatch } from './overdue.ts';
import { createIncidentResolvers } from './resolvers.ts';
import { DEFAULT_POLICY, type DeadlinePolicy } from './time/deadline-policy.ts';

export interface IncidentsOptions {
  /** What those may do who give no credentials; default `nothing`. */
  readonly anonymousMay?: AnonymousMay | undefined;
  /** Default: that of docs/incidents.md. */
  readonly deadlines?: DeadlinePolicy | undefined;
  /** Of the evidence; default SHA-256. */
  readonly hash?: HashAlgorithm | undefined;
}

/** Opens the store, and starts the intake of reports and the watch over deadlines. */
export function openIncidents(
  databaseUrl: string,
  log: EventLog,
  logger: Logger,
  { anonymousMay = 'nothing', deadlines = DEFAULT_POLICY, hash = 'sha256' }: IncidentsOptions = {},
): OwnedSubgraph {
  const prisma = new PrismaClient({ adapter: openStore(databaseUrl, 'incidents', logger) });
  const intake = startIntake(prisma, log, hash, logger);
  const watches = [startOverdueWatch(prisma, hash, logger), startDuplicateWatch(prisma, hash, logger)];
  return {
    name: 'incidents',
    title: '事件库',
    sdlFile: new URL('./schema.graphql', import.meta.url),
    resolvers: createIncidentResolvers(prisma, deadlines, hash),
    createContext: (principal) => ({
      loaders: createIncidentLoaders(prisma),
      actor: readActor(principal, anonymousMay),
    }),
    close: async () => {
      await Promise.all(watches.map((watch) => watch.close()));
      await intake.close();
      await prisma.$disconnect();
    },
  };
}
