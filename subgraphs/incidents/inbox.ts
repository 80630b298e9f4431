// What waits for a centre to act on it.
import { HubError } from '@weft/core/errors';
import { type Known, requireCentre } from './act.ts';
import type { Actor } from './actor.ts';
import { badInput } from './bad-input.ts';
import { divisionOfCentre, isCentreCode } from './centres.ts';
import type { PrismaClient } from './generated/client.ts';
import type { IncidentState } from './labels.ts';
import { type IncidentPage, pageOf } from './queries.ts';
import { OPEN_STATES } from './state-machine.ts';

/** The states in which the centre is the one to act. */
const WAITING_STATES: readonly IncidentState[] = [
  'REPORTED',
  'ACCEPTED',
  'RETURNED',
  'FED_BACK',
  'VERIFYING',
];
const ROLES: readonly string[] = [
  'centre-staff',
  'duty-officer',
  'operator',
  'grid-head',
  'leader',
  'auditor',
];

export interface InboxArguments {
  readonly centre: string;
  readonly first: number | null;
  readonly after?: string | null;
}

/**
 * Open incidents that a centre owns and has to act on, and those with a department that are overdue.
 * @throws HubError UNAUTHENTICATED or FORBIDDEN for whose office it is not; BAD_USER_INPUT, also for a centre that the directory
 *   does not have, LIMIT_EXCEEDED, INVALID_CURSOR
 */
export async function listInbox(
  prisma: PrismaClient,
  actor: Actor,
  args: InboxArguments,
  centres: Known,
): Promise<IncidentPage> {
  const { centre } = args;
  if (!isCentreCode(centre))
    throw badInput('centre', 'expected a code of a division, a hyphen and a number, such as 320508-01');
  await requireCentre(centre, centres);
  requireOffice(actor, centre);
  const waits = {
    OR: [
      { state: { in: [...WAITING_STATES] } },
      { state: { in: [...OPEN_STATES] }, dueAt: { lt: new Date() } },
    ],
  };
  return await pageOf(prisma, actor, [{ centre }, waits], args);
}

function requireOffice({ kind, roles, division }: Actor, centre: string): void {
  const isInOffice = division !== undefined && divisionOfCentre(centre).startsWith(division);
  if (isInOffice && roles.some((role) => ROLES.includes(role))) return;
  const code = kind === 'anonymous' ? 'UNAUTHENTICATED' : 'FORBIDDEN';
  throw new HubError(code, `the inbox of ${centre} is for ${ROLES.join(', ')} of its division or above`, {
    details: { action: 'centreInbox', allowed: '' },
  });
}
