// Puts reports into the library: incident, numbers, first step and event, in the caller's transaction.
import type { CloudEvent } from '@weft/events/envelope';
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import type { Prisma } from './generated/client.ts';
import { INCIDENT_TOPIC, incidentEvent, type Step } from './incident-event.ts';
import type { Report } from './report.ts';

/** A report with the identity that follows from its origin. */
export interface IdentifiedReport {
  readonly id: string;
  readonly report: Report;
  /** Who told us: stands at the first step and at the external numbers. */
  readonly by: string;
  readonly fingerprint: string | null;
  readonly cause?: CloudEvent;
}

/** @returns the ids of those that were not in the library before; the others change nothing */
export async function putReports(
  tx: Prisma.TransactionClient,
  reports: readonly IdentifiedReport[],
  receivedAt: Date,
): Promise<ReadonlySet<string>> {
  const inserted = await tx.incident.createManyAndReturn({
    data: reports.map((identified) => incidentRow(identified, receivedAt)),
    skipDuplicates: true,
    select: { id: true },
  });
  const added = new Set(inserted.map(({ id }) => id));
  // The same report twice in one batch: the first telling is the one that counts.
  const fresh = [...new Map(reports.toReversed().map((report) => [report.id, report])).values()]
    .toReversed()
    .filter(({ id }) => added.has(id));
  if (fresh.length === 0) return added;
  const steps = fresh.map((identified) => firstStep(identified, receivedAt));
  await tx.externalNumber.createMany({ data: fresh.flatMap(numberRows), skipDuplicates: true });
  await tx.incidentStep.createMany({ data: steps });
  const events = fresh.map(({ report, cause }, index) => {
    const { division, channel } = report;
    return incidentEvent(steps[index] as Step, {
      division,
      channel,
      ...(cause === undefined ? {} : { cause }),
    });
  });
  await postgresAppender.append(fromPrisma(tx), INCIDENT_TOPIC, events);
  return added;
}

function incidentRow({ id, report, fingerprint }: IdentifiedReport, receivedAt: Date) {
  const { externalNumbers: _elsewhere, ...fields } = report;
  return { id, ...fields, state: 'REPORTED', version: 1, receivedAt, fingerprint };
}

function numberRows({ id, report, by }: IdentifiedReport) {
  return report.externalNumbers.map(({ kind, number }) => ({ incidentId: id, kind, number, source: by }));
}

function firstStep({ id, by }: IdentifiedReport, receivedAt: Date): Step {
  return { incidentId: id, sequence: 1, kind: 'REPORTED', from: null, to: 'REPORTED', at: receivedAt, by };
}
