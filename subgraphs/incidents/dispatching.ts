// One dispatch of an incident to a department: the guard against sending it round in circles, the attempt, its deadlines.
import { HubError } from '@weft/core/errors';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { Actor } from './actor.ts';
import { OVERRIDE_ROLES } from './authority.ts';
import { divisionOfCentre } from './centres.ts';
import type { Command } from './command.ts';
import type { Attempt, Incident } from './generated/client.ts';
import type { Held } from './hold.ts';
import type { Dispatch } from './incident-event.ts';
import { isReturnReason, RETURN_REASON_LABELS } from './labels.ts';
import { type DeadlinePolicy, dueOf, type Timed } from './time/deadline-policy.ts';

/** What a new attempt is made of. */
export interface Dispatching {
  readonly tx: StoreTransaction;
  readonly held: Held;
  readonly incident: Held['incident'];
  readonly command: Command;
  readonly actor: Actor;
  readonly by: string;
  readonly at: Date;
  readonly policy: DeadlinePolicy;
  readonly hash: HashAlgorithm;
}

/** What the deadline policy looks at. */
export function timed({ urgency, matter, centre }: Incident): Timed {
  return { urgency, matter, centreDivision: centre === null ? null : divisionOfCentre(centre) };
}

/**
 * Makes the next attempt.
 * @returns the attempt, and what its event tells whoever carries it to the department
 * @throws HubError CONFLICT when the department has returned the incident before; FORBIDDEN for an override without the role
 */
export function dispatch(
  dispatching: Dispatching,
  department: string,
  round: number,
): { readonly attempt: Attempt; readonly task: Dispatch } {
  const { incident, command, by, at, policy } = dispatching;
  const overrideReason = requireNoCircle(dispatching, department);
  const number = incident.attempt + 1;
  const due = (kind: 'SIGN' | 'RETURN' | 'HANDLE') => dueOf(policy, kind, at, timed(incident));
  const [sign, back, handle] = [due('SIGN'), due('RETURN'), due('HANDLE')];
  const attempt = {
    ...NEW_ATTEMPT,
    incidentId: incident.id,
    number,
    round,
    department,
    routedAt: at,
    routedBy: by,
    overrideReason,
    signDueAt: sign.at,
    returnDueAt: back.at,
    handleDueAt: handle.at,
    byWeekdays: sign.byWeekdays || back.byWeekdays || handle.byWeekdays,
  };
  const task: Dispatch = {
    ...described(incident),
    attempt: number,
    round,
    department,
    routedBy: by,
    signBy: sign.at.toISOString(),
    handleBy: handle.at.toISOString(),
    requestId: command.requestId,
  };
  return { attempt, task };
}

/** Nothing has been done with it yet. */
const NEW_ATTEMPT = {
  signedAt: null,
  signedBy: null,
  returnedAt: null,
  returnReason: null,
  returnText: null,
  fedBackAt: null,
  result: null,
  reworkCount: 0,
  extensionCount: 0,
  outcome: null,
  externalKind: null,
  externalNumber: null,
  signOverdueAt: null,
  handleOverdueAt: null,
  delivery: null,
  deliveredAt: null,
  deliveryCode: null,
  deliverySystem: null,
} as const satisfies Partial<Attempt>;

/** What the department has to know of the incident itself. */
function described({
  id,
  title,
  description,
  matter,
  division,
  address,
  longitude,
  latitude,
  urgency,
  confidential,
  reporters,
}: Dispatching['incident']): Dispatch {
  const reporterKind = reporters[0]?.kind ?? null;
  return {
    incident: id,
    title,
    description,
    matter,
    division,
    address,
    longitude,
    latitude,
    urgency,
    confidential,
    reporterKind,
  };
}

/**
 * @param department whose returns `held` has been asked about
 * @returns why it is asked again; null where it has not returned it
 */
function requireNoCircle({ held, incident, command, actor }: Dispatching, department: string): string | null {
  const before = held.returned;
  if (before === null) return null;
  const label = isReturnReason(before.returnReason) ? RETURN_REASON_LABELS[before.returnReason] : '';
  const said = `${department} returned incident ${incident.id} before (attempt ${before.number}: ${label})`;
  const roles = [...OVERRIDE_ROLES].join(' or ');
  if (!command.override) {
    throw new HubError(
      'CONFLICT',
      `${said}; allowed: another department, or override: true with a reason by ${roles}`,
      {
        details: {
          state: incident.state,
          action: command.action,
          allowed: 'another department, override',
          department,
        },
      },
    );
  }
  if (!actor.roles.some((role) => OVERRIDE_ROLES.has(role))) {
    throw new HubError(
      'FORBIDDEN',
      `${said}; override needs the role ${roles}; allowed: another department`,
      {
        details: {
          state: incident.state,
          action: command.action,
          allowed: 'another department',
          department,
        },
      },
    );
  }
  return command.reason;
}
