// Reads from a stored incident what decides who may do what to it.
import type { GovernedIncident } from './authority.ts';
import type { Incident, Reporter } from './generated/client.ts';

/** @param incident with those who reported it */
export function governed(
  incident: Incident & { readonly reporters: readonly Pick<Reporter, 'subject'>[] },
): GovernedIncident {
  return {
    ...incident,
    reporterKeys: incident.reporters.flatMap(({ subject }) => (subject === null ? [] : [subject])),
  };
}
