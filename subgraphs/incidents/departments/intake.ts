// Takes in what is told of departments' own systems: what became of dispatches, and how the work goes on.
import type { Logger } from '@weft/core/logger';
import type { EventLog, LogEvent } from '@weft/events/event-log';
import { fromPrisma } from '@weft/events/postgres/appender';
import { COMMAND_TOPIC } from '@weft/schema/incident-dispatch';
import { INCIDENT_PROGRESS_TOPIC } from '@weft/schema/incident-progress';
import { type Consumer, startConsumer } from '../../consumer.ts';
import { TRANSACTION_LIMITS } from '../../store.ts';
import type { Prisma, PrismaClient } from '../generated/client.ts';
import { type DeliveryNews, decodeDelivery, decodeProgress } from './news.ts';

/** How long what a system tells is tried: longer than it takes to find out what became of a dispatch. */
export const PROGRESS_WAIT_MS = 600_000;

/**
 * Reads both topics from their checkpoints until closed. An incident is locked before anything is written in its
 * transaction (lock.ts), and a consumer has written its checkpoint: so what is told is kept here, and done by watch.ts.
 */
export function startDepartmentIntake(prisma: PrismaClient, log: EventLog, logger: Logger): Consumer {
  const consume = (
    name: string,
    topic: string,
    apply: (tx: Prisma.TransactionClient, events: readonly LogEvent[]) => Promise<void>,
  ) =>
    startConsumer<Prisma.TransactionClient>({
      ...{ log, topic, name, schema: 'incidents', apply, logger },
      transact: (run) => prisma.$transaction(run, TRANSACTION_LIMITS),
      sql: fromPrisma,
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

/** Of one command the newest counts. */
async function keepDeliveries(tx: Prisma.TransactionClient, events: readonly LogEvent[]): Promise<void> {
  const newest = new Map<string, DeliveryNews>();
  for (const { event } of events) {
    const news = decodeDelivery(event);
    if (news !== undefined && news.version > (newest.get(news.commandId)?.version ?? 0))
      newest.set(news.commandId, news);
  }
  if (newest.size === 0) return;
  const rows = JSON.stringify([...newest.values()]);
  await tx.$executeRaw`
    INSERT INTO incidents.delivery AS d
      (command_id, incident_id, attempt, system, version, state, code, upstream_ref, number_kind, at, next_at)
    SELECT "commandId", "incidentId", attempt, system, version, state, code, "upstreamRef", "numberKind", at, now()
    FROM json_to_recordset(${rows}::json) AS row("commandId" uuid, "incidentId" uuid, attempt int, system text, version int,
      state text, code text, "upstreamRef" text, "numberKind" text, at timestamptz)
    ORDER BY 1
    ON CONFLICT (command_id) DO UPDATE SET version = excluded.version, state = excluded.state, code = excluded.code,
      upstream_ref = excluded.upstream_ref, at = excluded.at, next_at = excluded.next_at
    WHERE d.version < excluded.version`;
}

async function keepProgress(tx: Prisma.TransactionClient, events: readonly LogEvent[]): Promise<void> {
  const receivedAt = new Date();
  const giveUpAt = new Date(receivedAt.getTime() + PROGRESS_WAIT_MS);
  const data = events.flatMap(({ event }) => {
    const news = decodeProgress(event);
    return news === undefined ? [] : [{ ...news, receivedAt, giveUpAt, nextAt: receivedAt }];
  });
  if (data.length > 0) await tx.progress.createMany({ data, skipDuplicates: true });
}

/** Beside the reports that cannot be understood: for a person to look at. */
async function putAside(tx: Prisma.TransactionClient, { event }: LogEvent, reason: string): Promise<void> {
  await tx.intakeRejected.createMany({
    data: [
      {
        source: event.source,
        eventId: event.id,
        reason: reason.replaceAll('\0', '\\0'),
        envelope: JSON.stringify(event),
        rejectedAt: new Date(),
      },
    ],
    skipDuplicates: true,
  });
}
