// Holds incidents for the rest of a transaction, and reads with each what a step of it needs: one round trip for both.
import type { SqlTransaction } from '@weft/events/event-log';
import { type LastEntry, lastEntrySql } from '@weft/evidence/postgres/append';
import type { Attempt, ExternalNumber, Incident, Reporter } from './generated/client.ts';
import { lockIncidents } from './lock.ts';
import { attemptColumns, attemptOf, incidentColumns, incidentOf } from './rows.ts';
import { EVIDENCE_SUBJECT_PREFIX } from './step-evidence.ts';

/** An incident as it is while its transaction holds it. */
export interface Held {
  readonly incident: Incident & { readonly reporters: readonly Reporter[] };
  /** The latest; null before the first. */
  readonly attempt: Attempt | null;
  /** Numbers that came with reports. */
  readonly numbers: readonly ExternalNumber[];
  /** What its next evidence is chained to; undefined before the first. */
  readonly evidence: LastEntry | undefined;
  /** The step that was taken for the command that is asked about. */
  readonly done: DoneStep | null;
  /** The last attempt that the department in question has given back. */
  readonly returned: Pick<Attempt, 'number' | 'returnReason'> | null;
}

export interface DoneStep {
  readonly sequence: number;
  readonly fingerprint: string | null;
}

/** What is asked besides. */
export interface HoldFor {
  /** Of the command whose step is looked for. */
  readonly requestId?: string | null;
  /** Whose returns are looked for; null: of the department that has it. */
  readonly department?: string | null;
}

const READ = `
SELECT ${incidentColumns('i')}, ${attemptColumns('a')},
  (SELECT json_agg(json_build_object('reportId', r.report_id, 'number', r.number, 'incidentId', r.incident_id, 'kind', r.kind,
      'name', r.name, 'contact', r.contact, 'channel', r.channel, 'subject', r.subject, 'reportedAt', r.reported_at)
      ORDER BY r.reported_at, r.report_id, r.number)
    FROM incidents.reporter r WHERE r.incident_id = i.id) AS "reporters",
  (SELECT json_agg(json_build_object('incidentId', n.incident_id, 'kind', n.kind, 'number', n.number, 'source', n.source,
      'reportId', n.report_id))
    FROM incidents.external_number n WHERE n.incident_id = i.id AND n.report_id IS NOT NULL) AS "numbers",
  (${lastEntrySql(`'${EVIDENCE_SUBJECT_PREFIX}' || i.id`)}) AS "evidence",
  (SELECT json_build_object('sequence', s.sequence, 'fingerprint', s.fingerprint)
    FROM incidents.incident_step s WHERE s.incident_id = i.id AND s.request_id = $2) AS "done",
  (SELECT json_build_object('number', b.number, 'returnReason', b.return_reason) FROM incidents.attempt b
    WHERE b.incident_id = i.id AND b.department = coalesce($3, i.department) AND b.outcome = 'RETURNED'
    ORDER BY b.number DESC LIMIT 1) AS "returned"
FROM incidents.incident i LEFT JOIN incidents.attempt a ON a.incident_id = i.id AND a.number = i.attempt
WHERE i.id = `;
// An array of unknown length would be planned anew each time.
const READ_ONE = `${READ}$1::uuid`;
const READ_ALL = `${READ}ANY($1::uuid[])`;

type Row = Readonly<Record<string, unknown>> & {
  readonly reporters: readonly (Omit<Reporter, 'reportedAt'> & { readonly reportedAt: string })[] | null;
  readonly numbers: readonly ExternalNumber[] | null;
  readonly evidence: LastEntry | null;
  readonly done: DoneStep | null;
  readonly returned: Held['returned'];
};

/**
 * Waits for the incidents as `lockIncidents` does, whose conditions hold here too.
 * @returns those that are there, by their ids
 */
export async function holdIncidents(
  tx: SqlTransaction,
  ids: readonly string[],
  { requestId = null, department = null }: HoldFor = {},
): Promise<ReadonlyMap<string, Held>> {
  // Sent together; the second is a statement of its own, and so sees what was committed while the first waited.
  const [, rows] = await Promise.all([
    lockIncidents(tx, ids),
    ids.length === 1
      ? tx.query<Row>(READ_ONE, [ids[0], requestId, department])
      : tx.query<Row>(READ_ALL, [[...ids], requestId, department]),
  ]);
  return new Map(
    rows.map((row) => {
      const held = heldOf(row);
      return [held.incident.id, held];
    }),
  );
}

function heldOf(row: Row): Held {
  const reporters = (row.reporters ?? []).map(({ reportedAt, ...reporter }) => ({
    ...reporter,
    reportedAt: new Date(reportedAt),
  }));
  return {
    incident: { ...incidentOf(row), reporters },
    attempt: attemptOf(row),
    numbers: row.numbers ?? [],
    evidence: row.evidence ?? undefined,
    done: row.done,
    returned: row.returned,
  };
}
