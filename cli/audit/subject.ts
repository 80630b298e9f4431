// What somebody means by the name of a subject: as the evidence has it, an incident's id, or a number that a system knows it by.
import { OperatorError } from '@weft/core/errors';
import type { EvidenceTransaction } from '@weft/evidence/postgres/append';
import { isIncidentId } from '@weft/subgraphs/incidents/identity';
import { subjectOf } from '@weft/subgraphs/incidents/step-evidence';

const BY_NUMBER = `
SELECT i.id::text AS id FROM incidents.external_number n JOIN incidents.incident i ON i.id = n.incident_id
WHERE n.kind = $1 AND n.number = $2 ORDER BY i.reported_at DESC, i.id LIMIT 1`;

/**
 * `Incident:<id>` as it is, `<id>`, or `hotlineOrder:GD1`: of a number that several incidents have, the one that was reported last.
 * @throws OperatorError when no incident has the number
 */
export async function findSubject(database: EvidenceTransaction, name: string): Promise<string> {
  if (isIncidentId(name)) return subjectOf(name);
  const colon = name.indexOf(':');
  if (colon < 1 || isIncidentId(name.slice(colon + 1))) return name;
  const [kind, number] = [name.slice(0, colon), name.slice(colon + 1)];
  const [row] = await database.query<{ id: string }>(BY_NUMBER, [kind, number]);
  if (row !== undefined) return subjectOf(row.id);
  throw new OperatorError(`no incident has the number ${number} of the kind ${kind}`);
}
