// Puts reports into the library: incident, reporters, numbers, first step and event, in the caller's transaction.
import type { SqlTransaction, StoreTransaction } from '@weft/core/sql-store';
import type { CloudEvent } from '@weft/events/envelope';
import { postgresAppender } from '@weft/events/postgres/appender';
import { appendEvidence, type NewEvidence } from '@weft/evidence/postgres/append';
import { centreOf } from './centres.ts';
import { isComparable } from './duplicates.ts';
import { INCIDENT_TOPIC, incidentEvent, type Step } from './incident-event.ts';
import type { Report } from './report.ts';
import { insertReported, type ReportedIncident, toJson } from './rows.ts';
import { evidenceOfReport, type Testimony } from './step-evidence.ts';

/** A report with the identity that follows from its origin. */
export interface IdentifiedReport {
  readonly id: string;
  readonly report: Report;
  /** Who told us: stands at the first step and at the external numbers. */
  readonly by: string;
  readonly fingerprint: string | null;
  readonly cause?: CloudEvent;
  /** Who the first reporter is by their credentials. */
  readonly subject?: string | undefined;
  /** Of who told it. */
  readonly role?: string | undefined;
  /** Kept for its reporter, until they submit it. */
  readonly isDraft?: boolean;
  /** Of the evidence of its first step. */
  readonly testimony: Testimony;
}

const INSERT_REPORTERS = `
INSERT INTO incidents.reporter (report_id, number, incident_id, kind, name, contact, channel, subject, reported_at)
SELECT "reportId", number, "reportId", kind, name, contact, channel, subject, "reportedAt"
FROM json_to_recordset($1::json) AS row(
  "reportId" uuid, number int, kind text, name text, contact text, channel text, subject text, "reportedAt" timestamptz)`;
const INSERT_NUMBERS = `
INSERT INTO incidents.external_number (incident_id, kind, number, source, report_id)
SELECT "reportId", kind, number, source, "reportId"
FROM json_to_recordset($1::json) AS row("reportId" uuid, kind text, number text, source text)
ON CONFLICT DO NOTHING`;
const INSERT_STEPS = `
INSERT INTO incidents.incident_step (incident_id, sequence, kind, "to", at, by, role)
SELECT "incidentId", sequence, kind, "to", at, by, role
FROM json_to_recordset($1::json) AS row("incidentId" uuid, sequence int, kind text, "to" text, at timestamptz, by text, role text)`;

/** @returns the ids of those that were not in the library before; the others change nothing */
export async function putReports(
  tx: StoreTransaction,
  reports: readonly IdentifiedReport[],
  receivedAt: Date,
): Promise<ReadonlySet<string>> {
  const { sql, parameters } = insertReported(reports.map((report) => incidentRow(report, receivedAt)));
  const inserted = await tx.query<{ id: string }>(sql, parameters);
  const added = new Set(inserted.map(({ id }) => id));
  // The same report twice in one batch: the first telling is the one that counts.
  const fresh = [...new Map(reports.toReversed().map((report) => [report.id, report])).values()]
    .toReversed()
    .filter(({ id }) => added.has(id));
  if (fresh.length === 0) return added;
  const steps = fresh.map((identified) => firstStep(identified, receivedAt));
  await tx.later.query(INSERT_REPORTERS, [toJson(fresh.flatMap(reporterRows))]);
  await tx.later.query(INSERT_NUMBERS, [toJson(fresh.flatMap(numberRows))]);
  await tx.later.query(INSERT_STEPS, [toJson(steps)]);
  const events = fresh.map(({ report, cause }, index) => {
    const { division, channel, confidential } = report;
    return incidentEvent(steps[index] as Step, {
      division,
      centre: centreOf(division),
      channel,
      confidential,
      ...(cause === undefined ? {} : { cause }),
    });
  });
  await postgresAppender.append(tx.later, INCIDENT_TOPIC, events);
  await putEvidence(tx, fresh, steps, receivedAt);
  return added;
}

/** In one call: an incident that was not there before has one writer, and its chain begins with this. */
async function putEvidence(
  tx: SqlTransaction,
  fresh: readonly IdentifiedReport[],
  steps: readonly Step[],
  receivedAt: Date,
): Promise<void> {
  const evidence = fresh.map((identified, index): NewEvidence => {
    const row = incidentRow(identified, receivedAt);
    return evidenceOfReport(steps[index] as Step, row, identified, reporterRows(identified));
  });
  const [first] = fresh;
  if (first !== undefined) await appendEvidence(tx, first.testimony.hash, evidence);
}

function incidentRow(identified: IdentifiedReport, receivedAt: Date): ReportedIncident {
  const { id, report, fingerprint, isDraft = false } = identified;
  const { externalNumbers: _numbers, reporters: _reporters, position, ...fields } = report;
  return {
    id,
    ...fields,
    longitude: position?.longitude ?? null,
    latitude: position?.latitude ?? null,
    centre: centreOf(report.division),
    state: isDraft ? 'DRAFT' : 'REPORTED',
    version: 1,
    receivedAt,
    fingerprint,
    duplicateCheck: isComparable(identified),
  };
}

function reporterRows({ id, report, subject }: IdentifiedReport) {
  const { channel, reportedAt } = report;
  return report.reporters.map((reporter, index) => ({
    reportId: id,
    number: index + 1,
    ...reporter,
    channel,
    reportedAt,
    subject: index === 0 ? (subject ?? null) : null,
  }));
}

function numberRows({ id, report, by }: IdentifiedReport) {
  return report.externalNumbers.map(({ kind, number }) => ({ reportId: id, kind, number, source: by }));
}

function firstStep({ id, by, role, isDraft = false }: IdentifiedReport, receivedAt: Date): Step {
  const [kind, to] = isDraft ? (['DRAFTED', 'DRAFT'] as const) : (['REPORTED', 'REPORTED'] as const);
  return { incidentId: id, sequence: 1, kind, from: null, to, at: receivedAt, by, role: role ?? null };
}
