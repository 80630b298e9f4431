// What the plays ask the graph of an incident.
import { OperatorError } from '@weft/core/errors';
import type { Person } from './people.ts';
import type { Sighting } from './story.ts';

/** The incident that a number of an old system has become, once it has. */
export function becomesIncident(person: Person, kind: string, number: () => string): Found {
  let id: string | undefined;
  return {
    where: 'the graph, by the number',
    what: `an incident with a ${kind}`,
    async look() {
      const { incidentByExternalNumber: found } = await person.get<{
        incidentByExternalNumber: { id: string; stateLabel: string } | null;
      }>(
        'query ($kind: String!, $number: ID!) { incidentByExternalNumber(kind: $kind, number: $number) { id stateLabel } }',
        { kind, number: number() },
      );
      id = found?.id;
      return found === null ? undefined : `${kind} ${number()} is incident ${found.id} ${found.stateLabel}`;
    },
    value: () => present(id),
  };
}

/** The department's system has an attempt, under a number of its own. */
export function isDelivered(
  person: Person,
  id: string,
  { attempt, where }: { readonly attempt: number; readonly where: string },
): Found {
  let number: string | undefined;
  return {
    where,
    what: `attempt ${attempt} under a number of its own`,
    async look() {
      const { incident } = await person.get<{ incident: { attempts: readonly Attempt[] } }>(
        'query ($id: ID!) { incident(id: $id) { attempts { number deliveryLabel externalNumber { kind number } } } }',
        { id },
      );
      const found = incident.attempts.find((one) => one.number === attempt);
      number = found?.externalNumber?.number;
      return number === undefined
        ? undefined
        : `has it as ${found?.externalNumber?.kind} ${number}, ${found?.deliveryLabel}`;
    },
    value: () => present(number),
  };
}

/** A sighting that has found something. */
export interface Found extends Sighting {
  /** What it was, after the step that waited for it. */
  value(): string;
}

interface Attempt {
  readonly number: number;
  readonly deliveryLabel: string | null;
  readonly externalNumber: { readonly kind: string; readonly number: string } | null;
}

function present(value: string | undefined): string {
  if (value === undefined) throw new OperatorError('the story reads what it has not waited for');
  return value;
}
