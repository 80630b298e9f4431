// Turns the reports of other systems into incidents, each exactly once.
import type { Logger } from '@weft/core/logger';
import type { SqlStore, StoreTransaction } from '@weft/core/sql-store';
import type { EventLog, LogEvent } from '@weft/events/event-log';
import type { HashAlgorithm } from '@weft/evidence/hash';
import { INCIDENT_REPORT_TOPIC } from '@weft/schema/incident-report';
import { type Consumer, startConsumer } from '../consumer.ts';
import { incidentIdOf } from './identity.ts';
import type { Mend } from './mend-report.ts';
import { type IdentifiedReport, putReports } from './put-reports.ts';
import { decodeReportEvent } from './report.ts';
import { testimonyOfSystem } from './step-evidence.ts';

/** Reports that come one after the other are put in together: for each alone it costs several times as much. */
const GATHER_MS = 20;

/** Reads the topic incident-report from its checkpoint; runs until closed. */
export function startIntake(store: SqlStore, log: EventLog, hash: HashAlgorithm, logger: Logger): Consumer {
  return startConsumer<StoreTransaction>({
    log,
    topic: INCIDENT_REPORT_TOPIC,
    name: 'intake',
    gatherMs: GATHER_MS,
    schema: 'incidents',
    transact: (run) => store.transaction(run),
    sql: (tx) => tx,
    apply: (tx, events) => applyReports(tx, events, hash, logger),
    refuse: (tx, event, reason) => rejectReports(tx, [{ event, reason }]),
    logger,
  });
}

interface Rejection {
  readonly event: LogEvent;
  readonly reason: string;
}

async function applyReports(
  tx: StoreTransaction,
  events: readonly LogEvent[],
  hash: HashAlgorithm,
  logger: Logger,
): Promise<void> {
  const reports: IdentifiedReport[] = [];
  const rejections: Rejection[] = [];
  for (const event of events) {
    const decoded = decodeReportEvent(event.event.data);
    if (decoded.kind === 'report') {
      reports.push(identify(event, decoded.report, hash));
      if (decoded.mends.length > 0) logMends(event, decoded.mends, logger);
    } else rejections.push({ event, reason: `${decoded.argument}: ${decoded.problem}` });
  }
  if (reports.length > 0) await putReports(tx, reports, new Date());
  if (rejections.length === 0) return;
  logger.warn(
    { rejected: rejections.length, first: rejections[0]?.reason },
    'reports that cannot be understood were put aside: they stand in incidents.intake_rejected, and nobody sees them in the graph',
  );
  await rejectReports(tx, rejections);
}

function logMends({ event }: LogEvent, mends: readonly Mend[], logger: Logger): void {
  logger.warn(
    { report: event.id, source: event.source, fields: mends },
    'fields of a report could not be kept as they were told',
  );
}

function identify(
  { event }: LogEvent,
  report: IdentifiedReport['report'],
  hash: HashAlgorithm,
): IdentifiedReport {
  const { source, id } = event;
  const by = systemOf(source);
  const testimony = testimonyOfSystem(by, hash);
  return { id: incidentIdOf(source, id), report, by, fingerprint: null, cause: event, testimony };
}

/** `/systems/hotline` is the system `hotline`. */
function systemOf(source: string): string {
  return source.replace(/^\/systems\//, '');
}

const PUT_ASIDE = `
INSERT INTO incidents.intake_rejected (source, event_id, reason, envelope, rejected_at)
SELECT source, event_id, reason, envelope, now() FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS r(source, event_id, reason, envelope)
ON CONFLICT DO NOTHING`;

/** The envelope stays whole beside the reason, so that a person can put the report in by hand. */
async function rejectReports(tx: StoreTransaction, rejections: readonly Rejection[]): Promise<void> {
  const events = rejections.map(({ event: { event } }) => event);
  await tx.later.query(PUT_ASIDE, [
    events.map(({ source }) => source),
    events.map(({ id }) => id),
    // PostgreSQL keeps no NUL in text; in the envelope JSON has escaped it already.
    rejections.map(({ reason }) => reason.replaceAll('\0', '\\0')),
    events.map((event) => JSON.stringify(event)),
  ]);
}
