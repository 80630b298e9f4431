// Merges an incident into the one that told of the same: its reporters and numbers move, and it ends.
import { HubError } from '@weft/core/errors';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { SqlTransaction } from '@weft/events/event-log';
import type { EvidenceFields } from '@weft/evidence/entry';
import { type Attached, attachedFields, bringAttachments } from './attachments/refer.ts';
import { authorityFor, isVisible } from './authority.ts';
import type { ActionContext, Effect } from './effects.ts';
import type { Incident } from './generated/client.ts';
import { governed } from './governed.ts';
import type { Held } from './hold.ts';
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
  const { tx, held, survivor, incident, command, actor, by, at, hash } = context;
  const into = command.into ?? '';
  if (into === incident.id || survivor === undefined || !isVisible(actor, governed(survivor.incident)))
    throw new HubError('NOT_FOUND', `there is no other incident ${into}`, { details: { argument: 'into' } });
  const authority = authorityFor('merge', actor, governed(survivor.incident));
  if (authority === undefined)
    throw new HubError(
      'FORBIDDEN',
      `incident ${into} is not yours to merge into; allowed: one of your division`,
      { details: { state: incident.state, action: 'merge', allowed: '', argument: 'into' } },
    );
  requireMergeable(incident, survivor.incident);
  const testimony = testimonyOf(actor, authority, hash);
  const merger = { by, at, role: authority.role, reason: command.reason, testimony };
  return await absorb(tx, held, survivor, merger);
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

const WITHDRAW = `UPDATE incidents.attempt SET outcome = 'WITHDRAWN' WHERE incident_id = $1 AND outcome IS NULL`;
// What the survivor has already it keeps.
const MOVE_NUMBERS = `
WITH moved AS (DELETE FROM incidents.external_number WHERE incident_id = $1 RETURNING kind, number, source, report_id)
INSERT INTO incidents.external_number (incident_id, kind, number, source, report_id)
SELECT $2::uuid, kind, number, source, report_id FROM moved ON CONFLICT DO NOTHING`;

/**
 * Moves all that others know the incident by, and tells it of the survivor. What was merged into it before points at the
 * survivor too, so that nobody has to follow a chain. Both must be held.
 */
export async function absorb(
  tx: StoreTransaction,
  { incident, attempt }: Held,
  survivor: Held,
  merger: Merger,
): Promise<Effect> {
  const { id } = incident;
  const { id: into, version, state } = survivor.incident;
  const brought = await bringAttachments(tx, id, into, version + 1);
  const told = await readMoved(tx, id, brought);
  await tx.later.query('UPDATE incidents.reporter SET incident_id = $2 WHERE incident_id = $1', [id, into]);
  await tx.later.query(MOVE_NUMBERS, [id, into]);
  await tx.later.query('UPDATE incidents.incident SET merged_into = $2 WHERE merged_into = $1', [id, into]);
  await tx.later.query(WITHDRAW, [id]);
  const { by, role, at, reason } = merger;
  const facts = { kind: 'ABSORBED', to: state as IncidentState, at, by, role, reason, other: id } as const;
  await writeStep(tx, survivor, facts, { testimony: { ...merger.testimony, told } });
  const patch = { mergedInto: into, extensionUntil: null };
  const attemptPatch = attempt?.outcome === null ? { outcome: 'WITHDRAWN' } : undefined;
  return { patch, attemptPatch, step: { other: into, reason }, told };
}

/** What both chains say of the move. */
async function readMoved(
  tx: SqlTransaction,
  incidentId: string,
  brought: readonly Attached[],
): Promise<EvidenceFields> {
  const [reporters, numbers] = await Promise.all([
    tx.query<{ reportId: string }>(
      'SELECT report_id AS "reportId" FROM incidents.reporter WHERE incident_id = $1',
      [incidentId],
    ),
    tx.query<{ kind: string; number: string }>(
      'SELECT kind, number FROM incidents.external_number WHERE incident_id = $1',
      [incidentId],
    ),
  ]);
  return { ...movedFields(reporters, numbers), ...attachedFields(brought) };
}
