// Resolvers of the subgraph incidents.

import type { SqlStore } from '@weft/core/sql-store';
import type { RequestDeadline } from '../request-deadline.ts';
import { type Acting, actOnIncident, type Directory } from './act.ts';
import type { Actor } from './actor.ts';
import { type ActionArguments, decodeCommand } from './command.ts';
import { type InboxArguments, listInbox } from './inbox.ts';
import { createIncidentFields } from './incident-fields.ts';
import type { Library } from './library.ts';
import type { IncidentLoaders } from './loaders.ts';
import { listMyNotifications, type MyNotificationsArguments } from './my-notifications.ts';
import { EVERYTHING, readKnownOverview, readOverview } from './overview.ts';
import {
  countIncidents,
  findByExternalNumber,
  type IncidentPage,
  type IncidentsArguments,
  listIncidents,
} from './queries.ts';
import { type ReportIncidentInput, reportIncident } from './report-incident.ts';
import { ACTION_NAMES, ACTIONS } from './state-machine.ts';
import { createTaskFields, myTasks } from './tasks/resolvers.ts';
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

/** By what actions are taken, whoever asks. */
type Law = Required<Omit<Acting, 'actor' | 'signal'>> & Directory;

/** Resolvers over the library; lists and changes go to it directly, everything by key through the request's loaders. */
export function createIncidentResolvers(library: Library, law: Law) {
  const { prisma } = library;
  const { policy, hash, divisions, centres } = law;
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
      ) => readKnownOverview(prisma, actor, division ?? null, divisions),
      centreInbox: (_: unknown, args: InboxArguments, { actor }: IncidentsContext) =>
        listInbox(prisma, actor, args, centres),
      myTasks: (_: unknown, __: unknown, context: IncidentsContext) => myTasks(context),
      myNotifications: (_: unknown, args: MyNotificationsArguments, { actor }: IncidentsContext) =>
        listMyNotifications(prisma, actor, args),
      trace: (_: unknown, { incident }: { readonly incident: string }, context: IncidentsContext) =>
        readTrace(prisma, context, incident),
    },
    Mutation: {
      reportIncident: (
        _: unknown,
        { input }: { readonly input: ReportIncidentInput },
        { actor, deadline }: IncidentsContext,
      ) => reportIncident(library, input, { actor, hash, divisions, signal: deadline.signal }),
      ...actionResolvers(library.sql, law),
    },
    ...createIncidentFields(policy),
    ...traceFields,
    ...createTaskFields(prisma),
    IncidentOverview: {
      __resolveReference: ({ id }: Reference, { actor }: IncidentsContext) =>
        readOverview(prisma, actor, id === EVERYTHING ? null : id, new Date()),
    },
    IncidentConnection: { totalCount: (page: IncidentPage) => page.totalCount() },
  };
}

/** One field of Mutation an action. */
function actionResolvers(store: SqlStore, law: Law) {
  return Object.fromEntries(
    ACTION_NAMES.map((action) => [
      ACTIONS[action].mutation,
      (_: unknown, args: ActionArguments, { actor, deadline: { signal } }: IncidentsContext) =>
        actOnIncident(store, decodeCommand(action, args), { ...law, actor, signal }),
    ]),
  );
}
