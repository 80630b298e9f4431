// Keeps the table of systems equal to what the events of the topic system last said.
import type { Logger } from '@weft/core/logger';
import type { EventLog, LogEvent } from '@weft/events/event-log';
import { fromPrisma } from '@weft/events/postgres/appender';
import { type Consumer, startConsumer } from '../consumer.ts';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { decodeSystemReport, SYSTEM_TOPIC, type SystemReport } from './system-event.ts';

/** Reads the topic system from its checkpoint; runs until closed. */
export function startProjection(prisma: PrismaClient, log: EventLog, logger: Logger): Consumer {
  return startConsumer<Prisma.TransactionClient>({
    log,
    topic: SYSTEM_TOPIC,
    name: 'projection',
    schema: 'registry',
    transact: (run) => prisma.$transaction(run, TRANSACTION_LIMITS),
    sql: fromPrisma,
    apply: (tx, events) => applySystemEvents(tx, events, logger),
    // The consumer has logged it; the next event of the system says how it is then.
    refuse: async () => undefined,
    logger,
  });
}

async function applySystemEvents(
  tx: Prisma.TransactionClient,
  events: readonly LogEvent[],
  logger: Logger,
): Promise<void> {
  for (const { event } of events) {
    const report = decodeSystemReport(event.data);
    if (typeof report === 'string')
      logger.warn(
        { source: event.source, id: event.id, problem: report },
        'a system event cannot be understood',
      );
    else await applyReport(tx, report);
  }
}

/** `since` moves only when the state does; `lastSeen` and `toldAt` never go back. */
async function applyReport(tx: Prisma.TransactionClient, report: SystemReport): Promise<void> {
  const { name, title, kind, change, lastSeen } = report;
  await tx.$executeRaw`
    INSERT INTO registry.system AS stored (name, title, kind, state, reason, since, last_seen, told_at)
    VALUES (${name}, ${title}, ${kind}, ${change.state}, ${change.reason}, ${change.at}, ${lastSeen}, ${change.at})
    ON CONFLICT (name) DO UPDATE SET title = excluded.title, kind = excluded.kind,
      state = excluded.state, reason = excluded.reason,
      since = CASE WHEN stored.state = excluded.state THEN stored.since ELSE excluded.since END,
      last_seen = GREATEST(stored.last_seen, excluded.last_seen),
      told_at = GREATEST(stored.told_at, excluded.told_at)`;
}
