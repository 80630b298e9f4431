// Who is told of a step: one record for each who reported, and one event for each report, by the numbers that its system knows it by.
import { hash } from 'node:crypto';
import type { CloudEvent } from '@weft/events/envelope';
import { isToldStep, TOLD_STEPS, type ToldStep } from '@weft/schema/incident-notification';
import type { Attempt, ExternalNumber, Reporter } from './generated/client.ts';
import type { Held } from './hold.ts';
import type { Step } from './incident-event.ts';
import type { NotificationState, ReporterKind } from './labels.ts';
import type { Sql } from './rows.ts';
import { CHANGE_LABELS } from './state-machine.ts';

/** A camera, a sensor, another system's event store: nobody, as far as is known. */
const MACHINE: ReporterKind = 'EXTERNAL_SYSTEM';
/** As `source` of the events. */
const SOURCE = '/subgraphs/incidents';

const INSERT = `
INSERT INTO incidents.notification (incident_id, sequence, report_id, number, channel, state, kind, text, created_at, updated_at)
SELECT $1::uuid, $2::int, r.report_id, r.number, r.channel, r.state, $3::text, $4::text, $5::timestamptz, $5::timestamptz
FROM unnest($6::uuid[], $7::int[], $8::text[], $9::text[]) AS r(report_id, number, channel, state)`;

/** Who is to be told of a step: how many, the statement that keeps it, and the events that tell whoever carries it to them. */
export interface Notifying {
  readonly count: number;
  readonly insert: Sql;
  /** Of the topic INCIDENT_NOTIFICATION_TOPIC. */
  readonly events: readonly CloudEvent[];
}

/**
 * @param attempt the latest, whose result is told at the end
 * @returns undefined where nobody is told of such a step
 */
export function notifyReporters(
  { incident: { reporters }, numbers }: Pick<Held, 'incident' | 'numbers'>,
  step: Step,
  attempt: Attempt | null,
): Notifying | undefined {
  const { incidentId, sequence, kind, at } = step;
  if (!isToldStep(kind)) return undefined;
  const text = textOf(step, kind, attempt);
  const numbersOf = Map.groupBy(numbers, ({ reportId }) => reportId);
  const states = reporters.map((reporter) => firstState(reporter, numbersOf.get(reporter.reportId)));
  const parameters = [
    ...[incidentId, sequence, kind, text, at],
    reporters.map(({ reportId }) => reportId),
    reporters.map(({ number }) => number),
    reporters.map(({ channel }) => channel),
    states,
  ];
  const reports = [...Map.groupBy(reporters, ({ reportId }) => reportId).values()];
  const events = reports.map((of) => notificationEvent(step, text, attempt, of, numbersOf));
  const count = states.filter((state) => state !== 'NO_RECIPIENT').length;
  return { count, insert: { sql: INSERT, parameters }, events };
}

/**
 * Who is known by credentials, and came by no other system, reads it here. A machine has nobody who waits to be told; where the system that it came
 * by has itself told all the same, the command that carries it out says what became of that.
 */
function firstState(
  { kind, subject }: Reporter,
  numbers: readonly ExternalNumber[] | undefined,
): NotificationState {
  if (subject !== null && numbers === undefined) return 'SENT';
  return subject === null && kind === MACHINE ? 'NO_RECIPIENT' : 'PENDING';
}

/** What a reporter reads: why it was refused, or what was done. */
function textOf({ reason }: Step, kind: ToldStep, attempt: Attempt | null): string {
  const why = kind === 'REJECTED' || kind === 'INVALIDATED' ? reason : null;
  const more = kind === 'CLOSED' ? (attempt?.result ?? null) : why;
  return more === null || more === undefined ? `${TOLD_STEPS[kind]}。` : `${TOLD_STEPS[kind]}：${more}`;
}

/** Whose report it is, as a live field knows who asks: by a hash, since the log goes where a citizen's id need not. */
function ownerOf(reporters: readonly Reporter[]): string | null {
  const subject = reporters.find((reporter) => reporter.subject !== null)?.subject;
  return subject === undefined || subject === null ? null : hash('sha256', subject, 'hex');
}

function notificationEvent(
  { incidentId, sequence, kind, at, reason = null }: Step,
  text: string,
  attempt: Attempt | null,
  reporters: readonly Reporter[],
  numbersOf: ReadonlyMap<string | null, readonly ExternalNumber[]>,
): CloudEvent {
  const report = reporters[0]?.reportId ?? '';
  const numbers = (numbersOf.get(report) ?? []).map(({ kind: of, number }) => ({ kind: of, number }));
  return {
    specversion: '1.0',
    id: `${incidentId}:${sequence}:${report}`,
    source: SOURCE,
    type: `dev.weft.incident.notification.${kind.toLowerCase()}`,
    subject: `IncidentNotification:${incidentId}:${sequence}:${report}`,
    time: at.toISOString(),
    datacontenttype: 'application/json',
    sequence: String(sequence),
    partitionkey: incidentId,
    data: {
      incident: incidentId,
      sequence,
      report,
      numbers,
      kind,
      label: CHANGE_LABELS[kind],
      text,
      reason,
      result: kind === 'CLOSED' ? (attempt?.result ?? null) : null,
      at: at.toISOString(),
      owner: ownerOf(reporters),
      notice: {
        incident: { id: incidentId },
        kind,
        kindLabel: CHANGE_LABELS[kind],
        text,
        at: at.toISOString(),
      },
    },
  };
}
