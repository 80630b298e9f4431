// Takes in what is told of departments' own systems: what became of dispatches, and how the work goes on.
import type { Logger } from '@weft/core/logger';
import type { SqlStore, StoreTransaction } from '@weft/core/sql-store';
import type { EventLog, LogEvent } from '@weft/events/event-log';
import { COMMAND_TOPIC } from '@weft/schema/incident-dispatch';
import { INCIDENT_PROGRESS_TOPIC } from '@weft/schema/incident-progress';
import { type Consumer, startConsumer } from '../../consumer.ts';
import {
  type DeliveryNews,
  decodeDelivery,
  decodeNotified,
  decodeProgress,
  type NotifiedNews,
  type ProgressNews,
} from './news.ts';

/** What is told waits so long for company: each batch moves a checkpoint. */
const GATHER_MS = 40;
/** How long what a system tells is tried: longer than it takes to find out what became of a dispatch. */
export const PROGRESS_WAIT_MS = 600_000;

/**
 * Reads both topics from their checkpoints until closed. An incident is locked before anything is written in its
 * transaction (lock.ts), and a consumer has written its checkpoint: so what is told is kept here, and done by watch.ts.
 */
export function startDepartmentIntake(store: SqlStore, log: EventLog, logger: Logger): Consumer {
  const consume = (
    name: string,
    topic: string,
    apply: (tx: StoreTransaction, events: readonly LogEvent[]) => Promise<void>,
  ) =>
    startConsumer<StoreTransaction>({
      ...{ log, topic, name, schema: 'incidents', apply, logger, gatherMs: GATHER_MS },
      transact: (run) => store.transaction(run),
      sql: (tx) => tx,
      refuse: putAside,
    });
  const consumers = [
    consume('delivery', COMMAND_TOPIC, keepDeliveries),
    consume('progress', INCIDENT_PROGRESS_TOPIC, keepProgress),
  ];
  return {
    close: async () => {
      await Promise.all(consumers.map((consumer) => consumer.close()));
    },
  };
}

const KEEP_DELIVERIES = `
INSERT INTO incidents.delivery AS d
  (command_id, incident_id, attempt, system, version, state, code, upstream_ref, number_kind, at, next_at)
SELECT "commandId", "incidentId", attempt, system, version, state, code, "upstreamRef", "numberKind", at, now()
FROM json_to_recordset($1::json) AS row("commandId" uuid, "incidentId" uuid, attempt int, system text, version int,
  state text, code text, "upstreamRef" text, "numberKind" text, at timestamptz)
ORDER BY 1
ON CONFLICT (command_id) DO UPDATE SET version = excluded.version, state = excluded.state, code = excluded.code,
  upstream_ref = excluded.upstream_ref, at = excluded.at, next_at = excluded.next_at
WHERE d.version < excluded.version`;

/** Of one command the newest counts. */
async function keepDeliveries(tx: StoreTransaction, events: readonly LogEvent[]): Promise<void> {
  await keepNotified(tx, events);
  const newest = new Map<string, DeliveryNews>();
  for (const { event } of events) {
    const news = decodeDelivery(event);
    if (news !== undefined && news.version > (newest.get(news.commandId)?.version ?? 0))
      newest.set(news.commandId, news);
  }
  if (newest.size > 0) await tx.later.query(KEEP_DELIVERIES, [JSON.stringify([...newest.values()])]);
}

const KEEP_NOTIFIED = `
UPDATE incidents.notification AS n SET state = row.state, code = row.code, system = row.system,
  command_id = row."commandId", command_version = row.version, updated_at = row.at
FROM json_to_recordset($1::json) AS row("commandId" uuid, "incidentId" uuid, step int, "reportId" uuid, system text,
  version int, state text, code text, at timestamptz)
WHERE n.incident_id = row."incidentId" AND n.sequence = row.step AND n.report_id = row."reportId"
  AND (n.command_id IS DISTINCT FROM row."commandId" OR n.command_version < row.version)`;

/** It makes no step, and so no incident is locked for it. Of what several commands tell one report, the newest counts. */
async function keepNotified(tx: StoreTransaction, events: readonly LogEvent[]): Promise<void> {
  const newest = new Map<string, NotifiedNews>();
  for (const { event } of events) {
    const news = decodeNotified(event);
    if (news !== undefined && news.version > (newest.get(news.commandId)?.version ?? 0))
      newest.set(news.commandId, news);
  }
  if (newest.size > 0) await tx.later.query(KEEP_NOTIFIED, [JSON.stringify([...newest.values()])]);
}

const KEEP_PROGRESS = `
INSERT INTO incidents.progress (source, event_id, system, kind, number, state, at, reason, result, by, received_at, give_up_at, next_at)
SELECT p.*, $11::timestamptz, $12::timestamptz, $11::timestamptz
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[], $9::text[], $10::text[])
  AS p(source, event_id, system, kind, number, state, at, reason, result, by)
ON CONFLICT DO NOTHING`;

async function keepProgress(tx: StoreTransaction, events: readonly LogEvent[]): Promise<void> {
  const receivedAt = new Date();
  const giveUpAt = new Date(receivedAt.getTime() + PROGRESS_WAIT_MS);
  const news = events.flatMap(({ event }) => decodeProgress(event) ?? []);
  if (news.length === 0) return;
  const column = <Name extends keyof ProgressNews>(name: Name) => news.map((one) => one[name]);
  await tx.later.query(KEEP_PROGRESS, [
    ...[column('source'), column('eventId'), column('system'), column('kind'), column('number')],
    ...[column('state'), column('at'), column('reason'), column('result'), column('by')],
    ...[receivedAt, giveUpAt],
  ]);
}

const PUT_ASIDE = `
INSERT INTO incidents.intake_rejected (source, event_id, reason, envelope, rejected_at) VALUES ($1, $2, $3, $4, now())
ON CONFLICT DO NOTHING`;

/** Beside the reports that cannot be understood: for a person to look at. */
async function putAside(tx: StoreTransaction, { event }: LogEvent, reason: string): Promise<void> {
  const { source, id } = event;
  await tx.later.query(PUT_ASIDE, [source, id, reason.replaceAll('\0', '\\0'), JSON.stringify(event)]);
}
