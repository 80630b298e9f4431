// Makes uploads part of a step: from then on they belong to the incident, and no longer to who uploaded them.
import { HubError } from '@weft/core/errors';
import type { SqlTransaction } from '@weft/events/event-log';
import type { EvidenceFields } from '@weft/evidence/entry';
import { badInput } from '../bad-input.ts';
import { attachmentId, readAttachmentId } from './identity.ts';
import { ATTACHMENTS_PER_INCIDENT_MAX, ATTACHMENTS_PER_STEP_MAX } from './limits.ts';

/** As evidence and references have it. */
export interface Attached {
  readonly sha256: string;
  readonly type: string;
  readonly size: number;
  readonly name: string;
}

/**
 * The hashes that `attachments` of a mutation names, each once.
 * @throws HubError BAD_USER_INPUT, LIMIT_EXCEEDED naming the argument
 */
export function decodeAttachments(
  argument: string,
  given: readonly string[] | null | undefined,
): readonly string[] {
  const ids = given ?? [];
  if (ids.length > ATTACHMENTS_PER_STEP_MAX)
    throw new HubError('LIMIT_EXCEEDED', `${argument}: at most ${ATTACHMENTS_PER_STEP_MAX} a step`, {
      details: { argument, limit: 'attachmentsPerStepMax', max: ATTACHMENTS_PER_STEP_MAX, got: ids.length },
    });
  const hashes = ids.map((id) => {
    const sha256 = readAttachmentId(id);
    if (sha256 === undefined) throw badInput(argument, 'expected ids of uploads, sha256:…');
    return sha256;
  });
  return [...new Set(hashes)];
}

/** Whose uploads, named by which argument. */
export interface Claim {
  readonly argument: string;
  readonly hashes: readonly string[];
  /** Undefined: somebody who can have none. */
  readonly uploader: string | undefined;
}

type AttachedRow = Attached & Record<string, unknown>;

const CLAIM = `
WITH taken AS (
  DELETE FROM incidents.attachment_upload WHERE uploader = $1 AND sha256 = ANY($2::text[]) RETURNING sha256, name
)
SELECT sha256, type, size, name FROM taken JOIN incidents.attachment USING (sha256)`;

/**
 * Takes uploads from who has them, in the order in which they are named. Only who has uploaded the bytes can: to know their hash
 * is no right to them.
 * @throws HubError BAD_USER_INPUT naming those that are not theirs; the transaction must end then
 */
export async function claimUploads(
  tx: SqlTransaction,
  { argument, hashes, uploader }: Claim,
): Promise<readonly Attached[]> {
  if (hashes.length === 0) return [];
  const rows = uploader === undefined ? [] : await tx.query<AttachedRow>(CLAIM, [uploader, [...hashes]]);
  const found = new Map(rows.map((row) => [row.sha256, row]));
  const missing = hashes.filter((sha256) => !found.has(sha256));
  if (missing.length > 0)
    throw badInput(
      argument,
      `expected uploads of yours: ${missing.map(attachmentId).join(', ')} is none now`,
    );
  return hashes.flatMap((sha256) => found.get(sha256) ?? []);
}

const COUNT = 'SELECT count(*)::int AS count FROM incidents.attachment_reference WHERE incident_id = $1';
const REFER = `
INSERT INTO incidents.attachment_reference (incident_id, sequence, position, sha256, name)
SELECT $1::uuid, $2::int, place::int, sha256, name FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS a(sha256, name, place)`;

/** @throws HubError LIMIT_EXCEEDED when the incident has as many as it may */
export async function attachToStep(
  tx: SqlTransaction,
  incidentId: string,
  sequence: number,
  attached: readonly Attached[],
): Promise<void> {
  if (attached.length === 0) return;
  if ((await countAttachments(tx, incidentId)) + attached.length > ATTACHMENTS_PER_INCIDENT_MAX)
    throw new HubError('LIMIT_EXCEEDED', `attachments: at most ${ATTACHMENTS_PER_INCIDENT_MAX} an incident`, {
      details: {
        argument: 'attachments',
        limit: 'attachmentsPerIncidentMax',
        max: ATTACHMENTS_PER_INCIDENT_MAX,
      },
    });
  await tx.query(REFER, [
    incidentId,
    sequence,
    attached.map(({ sha256 }) => sha256),
    attached.map(({ name }) => name),
  ]);
}

async function countAttachments(tx: SqlTransaction, incidentId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(COUNT, [incidentId]);
  return row?.count ?? 0;
}

/** What the evidence of a step says of them: without names, which may be personal. */
export function attachedFields(attached: readonly Attached[]): EvidenceFields {
  if (attached.length === 0) return {};
  return { attachments: attached.map(({ sha256, type, size }) => ({ sha256, type, size })) };
}

const BROUGHT = `
SELECT r.sha256, a.type, a.size, r.name FROM incidents.attachment_reference r JOIN incidents.attachment a USING (sha256)
WHERE r.incident_id = $1 ORDER BY r.sequence, r.position LIMIT $2`;

/**
 * What a merging brings: the survivor's step refers to all that the other's steps refer to, as far as it may have more.
 * @returns what it brought
 */
export async function bringAttachments(
  tx: SqlTransaction,
  from: string,
  to: string,
  sequence: number,
): Promise<readonly Attached[]> {
  const before = await countAttachments(tx, to);
  const rows = await tx.query<AttachedRow>(BROUGHT, [
    from,
    Math.max(0, ATTACHMENTS_PER_INCIDENT_MAX - before),
  ]);
  const attached = rows.map(({ sha256, name, type, size }) => ({ sha256, type, size, name }));
  await attachToStep(tx, to, sequence, attached);
  return attached;
}
