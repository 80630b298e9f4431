// Resolvers of the subgraph incidents.
import type { RequestDeadline } from '../request-deadline.ts';
import type { Incident, PrismaClient } from './generated/client.ts';
import { CHANNEL_LABELS, isChannel, isIncidentState, STATE_LABELS } from './labels.ts';
import type { IncidentLoaders } from './loaders.ts';
import { matterName } from './matters.ts';
import {
  type ActionArguments,
  actOnIncident,
  type ReportIncidentInput,
  reportIncident,
} from './mutations.ts';
import {
  countIncidents,
  findByExternalNumber,
  type IncidentPage,
  type IncidentsArguments,
  listIncidents,
} from './queries.ts';

export interface IncidentsContext {
  readonly loaders: IncidentLoaders;
  readonly deadline: RequestDeadline;
}

interface Reference {
  readonly id: string;
}

/** Resolvers over one Prisma client; lists and changes go to it directly, everything by key through the request's loaders. */
export function createIncidentResolvers(prisma: PrismaClient) {
  return {
    Query: {
      incident: (_: unknown, { id }: Reference, { loaders }: IncidentsContext) => loaders.incidents.load(id),
      incidentByExternalNumber: (
        _: unknown,
        { kind, number }: { readonly kind: string; readonly number: string },
      ) => findByExternalNumber(prisma, kind, number),
      incidents: (_: unknown, args: IncidentsArguments) => listIncidents(prisma, args),
      incidentCounts: (_: unknown, { division }: { readonly division?: string | null }) =>
        countIncidents(prisma, division),
    },
    Mutation: {
      reportIncident: (
        _: unknown,
        { input }: { readonly input: ReportIncidentInput },
        { deadline }: IncidentsContext,
      ) => reportIncident(prisma, input, deadline.signal),
      acceptIncident: (_: unknown, args: ActionArguments, { deadline }: IncidentsContext) =>
        actOnIncident(prisma, 'accept', args, deadline.signal),
      routeIncident: (_: unknown, args: ActionArguments, { deadline }: IncidentsContext) =>
        actOnIncident(prisma, 'route', args, deadline.signal),
    },
    Incident: incidentResolvers,
    IncidentConnection: { totalCount: (page: IncidentPage) => page.totalCount() },
  };
}

const incidentResolvers = {
  __resolveReference: ({ id }: Reference, { loaders }: IncidentsContext) => loaders.incidents.load(id),
  channelLabel: ({ channel }: Incident) => (isChannel(channel) ? CHANNEL_LABELS[channel] : channel),
  stateLabel: ({ state }: Incident) => (isIncidentState(state) ? STATE_LABELS[state] : state),
  matter: ({ matter }: Incident) => (matter === null ? null : { code: matter, name: matterName(matter) }),
  division: ({ division }: Incident) => (division === null ? null : { code: division }),
  department: ({ department }: Incident) => (department === null ? null : { code: department }),
  externalNumbers: ({ id }: Incident, _: unknown, { loaders }: IncidentsContext) =>
    loaders.externalNumbers.load(id),
  steps: ({ id }: Incident, _: unknown, { loaders }: IncidentsContext) => loaders.steps.load(id),
};
