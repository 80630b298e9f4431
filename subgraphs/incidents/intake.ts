// Turns the reports of other systems into incidents, each exactly once.
import type { Logger } from '@weft/core/logger';
import type { EventLog, LogEvent } from '@weft/events/event-log';
import { fromPrisma } from '@weft/events/postgres/appender';
import type { HashAlgorithm } from '@weft/evidence/hash';
import { INCIDENT_REPORT_TOPIC } from '@weft/schema/incident-report';
import { type Consumer, startConsumer } from '../consumer.ts';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { incidentIdOf } from './identity.ts';
import type { Mend } from './mend-report.ts';
import { type IdentifiedReport, putReports } from './put-reports.ts';
import { decodeReportEvent } from './report.ts';
import { testimonyOfSystem } from './step-evidence.ts';

/** Reads the topic incident-report from its checkpoint; runs until closed. */
export function startIntake(
  prisma: PrismaClient,
  log: EventLog,
  hash: HashAlgorithm,
  logger: Logger,
): Consumer {
  return startConsumer<Prisma.TransactionClient>({
    log,
    topic: INCIDENT_REPORT_TOPIC,
    name: 'intake',
    schema: 'incidents',
    transact: (run) => prisma.$transaction(run, TRANSACTION_LIMITS),
    sql: fromPrisma,
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
  tx: Prisma.TransactionClient,
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

/** The envelope stays whole beside the reason, so that a person can put the report in by hand. */
async function rejectReports(tx: Prisma.TransactionClient, rejections: readonly Rejection[]): Promise<void> {
  const rejectedAt = new Date();
  await tx.intakeRejected.createMany({
    // PostgreSQL keeps no NUL in text; in the envelope JSON has escaped it already.
    data: rejections.map(({ event: { event }, reason }) => ({
      source: event.source,
      eventId: event.id,
      reason: reason.replaceAll('\0', '\\0'),
      envelope: JSON.stringify(event),
      rejectedAt,
    })),
    skipDuplicates: true,
  });
}
