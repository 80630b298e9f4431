// Resolvers of the subgraph incidents.
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { RequestDeadline } from '../request-deadline.ts';
import { actOnIncident } from './act.ts';
import type { Actor } from './actor.ts';
import { type ActionArguments, decodeCommand } from './command.ts';
import type { PrismaClient } from './generated/client.ts';
import { type InboxArguments, listInbox } from './inbox.ts';
import { createIncidentFields } from './incident-fields.ts';
import type { IncidentLoaders } from './loaders.ts';
import { readOverview } from './overview.ts';
import {
  countIncidents,
  findByExternalNumber,
  type IncidentPage,
  type IncidentsArguments,
  listIncidents,
} from './queries.ts';
import { type ReportIncidentInput, reportIncident } from './report-incident.ts';
import { ACTION_NAMES, ACTIONS } from './state-machine.ts';
import type { DeadlinePolicy } from './time/deadline-policy.ts';
import { readTrace, traceFields } from './trace.ts';
import { loadVisible } from './visible.ts';

export interface IncidentsContext {
  readonly loaders: IncidentLoaders;
  readonly actor: Actor;
  readonly deadline: RequestDeadline;
}

interface Reference {
  readonly id: string;
}

/** Resolvers over one Prisma client; lists and changes go to it directly, everything by key through the request's loaders. */
export function createIncidentResolvers(prisma: PrismaClient, policy: DeadlinePolicy, hash: HashAlgorithm) {
  return {
    Query: {
      incident: (_: unknown, { id }: Reference, context: IncidentsContext) => loadVisible(context, id),
      incidentByExternalNumber: (
        _: unknown,
        { kind, number }: { readonly kind: string; readonly number: string },
        { actor }: IncidentsContext,
      ) => findByExternalNumber(prisma, actor, kind, number),
      incidents: (_: unknown, args: IncidentsArguments, { actor }: IncidentsContext) =>
        listIncidents(prisma, actor, args),
      incidentCounts: (
        _: unknown,
        { division }: { readonly division?: string | null },
        { actor }: IncidentsContext,
      ) => countIncidents(prisma, actor, division),
      overview: (
        _: unknown,
        { division }: { readonly division?: string | null },
        { actor }: IncidentsContext,
      ) => readOverview(prisma, actor, division ?? null, new Date()),
      centreInbox: (_: unknown, args: InboxArguments, { actor }: IncidentsContext) =>
        listInbox(prisma, actor, args),
      trace: (_: unknown, { incident }: { readonly incident: string }, context: IncidentsContext) =>
        readTrace(prisma, context, incident),
    },
    Mutation: {
      reportIncident: (
        _: unknown,
        { input }: { readonly input: ReportIncidentInput },
        { actor, deadline }: IncidentsContext,
      ) => reportIncident(prisma, input, { actor, hash, signal: deadline.signal }),
      ...actionResolvers(prisma, policy, hash),
    },
    ...createIncidentFields(policy),
    ...traceFields,
    IncidentConnection: { totalCount: (page: IncidentPage) => page.totalCount() },
  };
}

/** One field of Mutation an action. */
function actionResolvers(prisma: PrismaClient, policy: DeadlinePolicy, hash: HashAlgorithm) {
  return Object.fromEntries(
    ACTION_NAMES.map((action) => [
      ACTIONS[action].mutation,
      (_: unknown, args: ActionArguments, { actor, deadline: { signal } }: IncidentsContext) =>
        actOnIncident(prisma, decodeCommand(action, args), { actor, policy, hash, signal }),
    ]),
  );
}
