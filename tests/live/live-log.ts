// A PostgreSQL log of its own, with a short way to append things to it.
import { createLogger } from '@weft/core/logger';
import type { CloudEvent } from '@weft/events/envelope';
import type { EventLog } from '@weft/events/event-log';
import { postgresAppender } from '@weft/events/postgres/appender';
import { openPostgresLog } from '@weft/events/postgres/log';
import { makeEvent } from '../events/event-log-suite.ts';
import { beginTransaction, createTestDatabase } from '../events/log-under-test.ts';

export interface LiveLog {
  readonly log: EventLog;
  readonly databaseUrl: string;
  append(topic: string, ...events: readonly CloudEvent[]): Promise<void>;
  close(): Promise<void>;
}

export async function openLiveLog(): Promise<LiveLog> {
  const database = await createTestDatabase();
  const log = openPostgresLog({ databaseUrl: database.url, logger: createLogger('test', 'silent') });
  return {
    log,
    databaseUrl: database.url,
    async append(topic, ...events) {
      const { transaction, commit } = await beginTransaction(database.url);
      await postgresAppender.append(transaction, topic, events);
      await commit();
    },
    async close() {
      await log.close();
      await database.drop();
    },
  };
}

/** The event of the thing number `n`; ids are unique within a topic. */
export function thing(topic: string, n: number, data: CloudEvent['data'] = {}): CloudEvent {
  return makeEvent(`${topic}-${n}`, { thing: { id: `${n}`, secret: 'not in the message' }, n, ...data });
}

/** Things `first` to `last`, both included. */
export function things(topic: string, first: number, last: number): CloudEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => thing(topic, first + index));
}
