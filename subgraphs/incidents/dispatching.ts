// One dispatch of an incident to a department: the guard against sending it round in circles, the attempt, its deadlines.
import { HubError } from '@weft/core/errors';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { Actor } from './actor.ts';
import { OVERRIDE_ROLES } from './authority.ts';
import { divisionOfCentre } from './centres.ts';
import type { Command } from './command.ts';
import type { Incident, Prisma, Reporter } from './generated/client.ts';
import type { Dispatch } from './incident-event.ts';
import { isReturnReason, RETURN_REASON_LABELS } from './labels.ts';
import { type DeadlinePolicy, dueOf, type Timed } from './time/deadline-policy.ts';

/** What a new attempt is made of. */
export interface Dispatching {
  readonly tx: Prisma.TransactionClient;
  readonly incident: Incident & { readonly reporters: readonly Reporter[] };
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
 * @returns the attempt's number, and what its event tells whoever carries it to the department
 * @throws HubError CONFLICT when the department has returned the incident before; FORBIDDEN for an override without the role
 */
export async function dispatch(dispatching: Dispatching, department: string, round: number) {
  const { tx, incident, command, by, at, policy } = dispatching;
  const overrideReason = await requireNoCircle(dispatching, department);
  const number = incident.attempt + 1;
  const due = (kind: 'SIGN' | 'RETURN' | 'HANDLE') => dueOf(policy, kind, at, timed(incident));
  const [sign, back, handle] = [due('SIGN'), due('RETURN'), due('HANDLE')];
  await tx.attempt.create({
    data: {
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
    },
  });
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
  return { number, task };
}

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

/** @returns why a department that has returned it is asked again; null where none has */
async function requireNoCircle(
  { tx, incident, command, actor }: Dispatching,
  department: string,
): Promise<string | null> {
  const before = await tx.attempt.findFirst({
    where: { incidentId: incident.id, department, outcome: 'RETURNED' },
    orderBy: { number: 'desc' },
  });
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
        details: { action: command.action, allowed: 'another department', department },
      },
    );
  }
  return command.reason;
}
