// The subgraph incidents: the incident library (事件库) with its intakes and watches.
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { openStore } from '../store.ts';
import { type AnonymousMay, readActor } from './actor.ts';
import { startDepartmentIntake } from './departments/intake.ts';
import { startDepartmentWatch } from './departments/watch.ts';
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

/** Opens the store, and starts the intakes of reports and of what departments' systems tell, and the watches. */
export function openIncidents(
  databaseUrl: string,
  log: EventLog,
  logger: Logger,
  { anonymousMay = 'nothing', deadlines = DEFAULT_POLICY, hash = 'sha256' }: IncidentsOptions = {},
): OwnedSubgraph {
  const prisma = new PrismaClient({ adapter: openStore(databaseUrl, 'incidents', logger) });
  const intakes = [startIntake(prisma, log, hash, logger), startDepartmentIntake(prisma, log, logger)];
  const watches = [
    startOverdueWatch(prisma, hash, logger),
    startDuplicateWatch(prisma, hash, logger),
    startDepartmentWatch(prisma, { policy: deadlines, hash }, logger),
  ];
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
      await Promise.all(intakes.map((intake) => intake.close()));
      await prisma.$disconnect();
    },
  };
}
