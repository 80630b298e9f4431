// Merges an incident into the one that told of the same: its reporters and numbers move, and it ends.
import { HubError } from '@weft/core/errors';
import type { EvidenceFields } from '@weft/evidence/entry';
import { authorityFor } from './authority.ts';
import type { ActionContext, Effect } from './effects.ts';
import type { Incident, Prisma } from './generated/client.ts';
import { governed } from './governed.ts';
import { type IncidentState, STATE_LABELS } from './labels.ts';
import { OPEN_STATES } from './state-machine.ts';
import { movedFields, type Testimony, testimonyOf } from './step-evidence.ts';
import { writeStep } from './steps.ts';

/** Who merges: a person, or the library itself where it is certain. */
export interface Merger {
  readonly by: string;
  readonly role: string | null;
  readonly at: Date;
  readonly reason: string | null;
  /** Of the step at the survivor. */
  readonly testimony: Testimony;
}

/** The action `merge`: both are locked already. */
export async function mergeInto(context: ActionContext): Promise<Effect> {
  const { tx, incident, command, actor, by, at, hash } = context;
  const into = command.into ?? '';
  const survivor =
    into === incident.id
      ? null
      : await tx.incident.findUnique({ where: { id: into }, include: { reporters: true } });
  if (survivor === null)
    throw new HubError('NOT_FOUND', `there is no other incident ${into}`, { details: { argument: 'into' } });
  const authority = authorityFor('merge', actor, governed(survivor));
  if (authority === undefined)
    throw new HubError(
      'FORBIDDEN',
      `incident ${into} is not yours to merge into; allowed: one of your division`,
      {
        details: { action: 'merge', allowed: '', argument: 'into' },
      },
    );
  requireMergeable(incident, survivor);
  const testimony = testimonyOf(actor, authority, hash);
  const merger = { by, at, role: authority.role, reason: command.reason, testimony };
  return await absorb(tx, incident, survivor, merger);
}

function requireMergeable(incident: Incident, survivor: Incident): void {
  const state = survivor.state as IncidentState;
  if (!(OPEN_STATES as readonly string[]).includes(state)) {
    throw conflict(
      incident,
      `incident ${survivor.id} is ${state} (${STATE_LABELS[state]}): nothing is merged into it; allowed: one that is open`,
    );
  }
  if (survivor.confidential !== incident.confidential)
    throw conflict(
      incident,
      `of ${incident.id} and ${survivor.id} one is confidential; allowed: two that are, or none`,
    );
}

function conflict({ state }: Incident, message: string): HubError {
  return new HubError('CONFLICT', message, {
    details: { state, action: 'merge', allowed: 'an open incident', argument: 'into' },
  });
}

/**
 * Moves all that others know the incident by, and tells it of the survivor. What was merged into it before points at the
 * survivor too, so that nobody has to follow a chain. Both must be locked.
 */
export async function absorb(
  tx: Prisma.TransactionClient,
  incident: Incident,
  survivor: Incident,
  merger: Merger,
): Promise<Effect> {
  const { id } = incident;
  const told = await readMoved(tx, id);
  await tx.reporter.updateMany({ where: { incidentId: id }, data: { incidentId: survivor.id } });
  await tx.$executeRaw`
    INSERT INTO incidents.external_number (incident_id, kind, number, source)
    SELECT ${survivor.id}::uuid, kind, number, source FROM incidents.external_number WHERE incident_id = ${id}::uuid
    ON CONFLICT DO NOTHING`;
  await tx.externalNumber.deleteMany({ where: { incidentId: id } });
  await tx.incident.updateMany({ where: { mergedInto: id }, data: { mergedInto: survivor.id } });
  if (incident.attempt > 0)
    await tx.attempt.updateMany({ where: { incidentId: id, outcome: null }, data: { outcome: 'WITHDRAWN' } });
  const state = survivor.state as IncidentState;
  const { by, role, at, reason } = merger;
  const facts = { kind: 'ABSORBED', to: state, at, by, role, reason, other: id } as const;
  await writeStep(tx, survivor, facts, { testimony: { ...merger.testimony, told } });
  const patch = { mergedInto: survivor.id, extensionUntil: null };
  return { patch, step: { other: survivor.id, reason }, told };
}

/** What both chains say of the move. */
async function readMoved(tx: Prisma.TransactionClient, incidentId: string): Promise<EvidenceFields> {
  const where = { incidentId };
  const reporters = await tx.reporter.findMany({ where, select: { reportId: true } });
  const numbers = await tx.externalNumber.findMany({ where, select: { kind: true, number: true } });
  return movedFields(reporters, numbers);
}
