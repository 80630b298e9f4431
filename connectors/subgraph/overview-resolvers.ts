// Resolvers of the subgraph `connectors` for what the wrapped systems say of their own open work.
import { type OpenWork, type OpenWorkState, readOpenWork } from './open-work.ts';
import type { OwnContext } from './own-subgraph.ts';

/** What the incident library gives the overview of everything as its id; else it is the division's code. */
const EVERYTHING = '*';
const OVERVIEW_ID = /^(\*|[A-Za-z0-9-]{1,64})$/;
const MS_PER_SECOND = 1_000;

const LABELS: Readonly<Record<OpenWorkState, string>> = { CURRENT: '最新', OLD: '旧数', UNKNOWN: '不明' };

interface OverviewReference {
  readonly id: string;
}

/** Type to field to resolver; times go out as RFC 3339. */
export function overviewResolvers() {
  return {
    IncidentOverview: {
      __resolveReference: ({ id }: OverviewReference) => (OVERVIEW_ID.test(id) ? { id } : null),
      systems: ({ id }: OverviewReference, _: unknown, { parts, correlationId }: OwnContext) =>
        readOpenWork(parts.systems, id === EVERYTHING ? null : id, correlationId),
    },
    SystemOverview: {
      system: ({ system }: OpenWork) => ({ name: system }),
      open: ({ open, error }: OpenWork) => {
        if (error !== undefined) throw error;
        return open;
      },
      asOf: ({ asOf }: OpenWork) => asOf?.toISOString() ?? null,
      age: ({ ageMs }: OpenWork) => (ageMs === null ? null : Math.round(ageMs / MS_PER_SECOND)),
      stateLabel: ({ state }: OpenWork) => LABELS[state],
    },
  };
}
