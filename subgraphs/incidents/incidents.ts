// The subgraph incidents: the incident library (事件库) with its intakes and watches.
import type { Logger } from '@weft/core/logger';
import type { EventLog } from '@weft/events/event-log';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { OwnedSubgraph } from '../owned-subgraph.ts';
import { openSqlStore } from '../store.ts';
import type { Directory } from './act.ts';
import { type AnonymousMay, readActor } from './actor.ts';
import { openAttachments } from './attachments/attachments.ts';
import type { AttachmentSettings } from './attachments/limits.ts';
import { startDepartmentIntake } from './departments/intake.ts';
import { startDepartmentWatch } from './departments/watch.ts';
import { startDuplicateWatch } from './duplicates.ts';
import { PrismaClient } from './generated/client.ts';
import { startIntake } from './intake.ts';
import { createIncidentLoaders } from './loaders.ts';
import { startOverdueWatch } from './overdue.ts';
import { createIncidentResolvers } from './resolvers.ts';
import { DEFAULT_POLICY, type DeadlinePolicy } from './time/deadline-policy.ts';

export interface IncidentsOptions extends Directory {
  /** What those may do who give no credentials; default `nothing`. */
  readonly anonymousMay?: AnonymousMay | undefined;
  /** Default: that of docs/incidents.md. */
  readonly deadlines?: DeadlinePolicy | undefined;
  /** Of the evidence; default SHA-256. */
  readonly hash?: HashAlgorithm | undefined;
  /** Undefined: none are taken. */
  readonly attachments?: AttachmentSettings | undefined;
}

/** Opens the store, and starts the intakes of reports and of what departments' systems tell, and the watches. */
export function openIncidents(
  databaseUrl: string,
  log: EventLog,
  logger: Logger,
  options: IncidentsOptions,
): OwnedSubgraph {
  const {
    departments,
    divisions,
    centres,
    anonymousMay = 'nothing',
    deadlines = DEFAULT_POLICY,
    hash = 'sha256',
  } = options;
  const { adapter, sql, close: closeSql } = openSqlStore(databaseUrl, 'incidents', logger);
  const prisma = new PrismaClient({ adapter });
  const library = { prisma, sql };
  const actorOf = (principal: string | undefined) => readActor(principal, anonymousMay);
  const attachments =
    options.attachments && openAttachments({ prisma, settings: options.attachments, actorOf, logger });
  const intakes = [startIntake(sql, log, hash, logger), startDepartmentIntake(sql, log, logger)];
  const watches = [
    startOverdueWatch(library, hash, logger),
    startDuplicateWatch(library, hash, logger),
    startDepartmentWatch(library, { policy: deadlines, hash }, logger),
    ...(attachments === undefined ? [] : [attachments.sweep]),
  ];
  return {
    name: 'incidents',
    title: '事件库',
    sdlFile: new URL('./schema.graphql', import.meta.url),
    resolvers: createIncidentResolvers(library, { policy: deadlines, hash, departments, divisions, centres }),
    createContext: (principal) => ({
      loaders: createIncidentLoaders(prisma),
      actor: actorOf(principal),
    }),
    endpoints: attachments === undefined ? [] : [attachments.endpoint],
    close: async () => {
      await Promise.all(watches.map((watch) => watch.close()));
      await Promise.all(intakes.map((intake) => intake.close()));
      await prisma.$disconnect();
      await closeSql();
    },
  };
}
