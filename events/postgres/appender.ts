// Appends events to the PostgreSQL log inside the caller's transaction.
import { HubError } from '@weft/core/errors';
import { createStatementNames } from '@weft/core/statement-names';
import type { CloudEvent } from '../envelope.ts';
import type { EventAppender, SqlTransaction } from '../event-log.ts';

/** The channel on which a commit that brought events is announced; the payload is `announcement.ts`'s. */
export const NOTIFY_CHANNEL = 'weft_events';

/** Events in one call of `append`, at the most. */
export const APPEND_EVENTS_MAX = 5_000;
/** Characters of one event in JSON, at the most. */
export const ENVELOPE_LENGTH_MAX = 256_000;
/** PostgreSQL refuses a notification whose payload is longer than 7,999 bytes: the event, two positions, and the topic (800). */
const ANNOUNCED_BYTES_MAX = 7_000;
const TOPIC_LENGTH_MAX = 200;

// One statement, one round trip. The envelope travels as text, so that PostgreSQL never unescapes it: a `\u0000` in somebody's
// data would fail there. ORDER BY makes `seq` follow the order of the list. `before` is the topic's event that comes before
// what is added: of transactions that began earlier, and of this one. Where no earlier transaction is open (xmin is this one),
// none can come between any more, and a single event travels with its announcement.
const APPEND = `
WITH added AS (
  INSERT INTO events.event (topic, source, id, type, subject, partitionkey, time, envelope)
  SELECT $1::text, source, id, type, subject, partitionkey, time, envelope::json
  FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[])
    WITH ORDINALITY AS list(source, id, type, subject, partitionkey, time, envelope, place)
  ORDER BY place
  ON CONFLICT (source, id) DO NOTHING
  RETURNING tx, seq, envelope::text
), announced AS (
  SELECT $1::text || E'\\n' || before.tx || '.' || before.seq || ' ' || added.tx || '.' || added.seq || E'\\n' || added.envelope AS payload
  FROM added, (
    SELECT tx, seq FROM events.event WHERE topic = $1 AND tx <= pg_current_xact_id() ORDER BY tx DESC, seq DESC LIMIT 1
  ) AS before
  WHERE pg_snapshot_xmin(pg_current_snapshot()) = pg_current_xact_id()
    AND (SELECT count(*) FROM added) = 1 AND octet_length(added.envelope) <= ${ANNOUNCED_BYTES_MAX}
)
SELECT count(*)::int AS added,
       CASE WHEN count(*) > 0
            THEN pg_notify('${NOTIFY_CHANNEL}', coalesce((SELECT payload FROM announced), $1::text))::text END AS told
FROM added`;

/**
 * Writes to the table `events.event`, which must be in the database of the caller's transaction. Rejects with what the
 * transaction rejects with, and with LIMIT_EXCEEDED for a list or an event that is too long; the caller rolls back.
 * Two transactions that append the same events in different orders can deadlock (40P01): append in a stable order.
 */
export const postgresAppender: EventAppender = {
  async append(transaction, topic, events) {
    if (events.length === 0) return 0;
    requireLimit('APPEND_EVENTS_MAX', events.length, APPEND_EVENTS_MAX);
    requireLimit('TOPIC_LENGTH_MAX', topic.length, TOPIC_LENGTH_MAX);
    const rows = await transaction.query<{ added: number }>(APPEND, [topic, ...toColumns(events)]);
    return rows[0]?.added ?? 0;
  },
};

function toColumns(events: readonly CloudEvent[]): readonly (readonly (string | null)[])[] {
  const column = (read: (event: CloudEvent) => string | null) => events.map(read);
  return [
    column(({ source }) => source),
    column(({ id }) => id),
    column(({ type }) => type),
    column(({ subject }) => subject),
    column(({ partitionkey = null }) => partitionkey),
    column(({ time }) => time),
    column(toEnvelope),
  ];
}

function toEnvelope(event: CloudEvent): string {
  const envelope = JSON.stringify(event);
  requireLimit('ENVELOPE_LENGTH_MAX', envelope.length, ENVELOPE_LENGTH_MAX);
  return envelope;
}

function requireLimit(limit: string, got: number, max: number): void {
  if (got <= max) return;
  throw new HubError('LIMIT_EXCEEDED', `append: ${limit} is ${max}, got ${got}`, {
    details: { limit, max, got },
  });
}

/** The part of a `pg` client (not a pool: one connection, with a transaction open) that is needed. */
export interface PgQueryable {
  query(query: {
    readonly name?: string;
    readonly text: string;
    readonly values: unknown[];
  }): Promise<{ readonly rows: unknown[] }>;
}

/** Of the statements that events are appended with: planning one takes longer than running it. */
const statementName = createStatementNames('weft_events');

/** A `pg` client on which the caller has run BEGIN. */
export function fromPgClient(client: PgQueryable): SqlTransaction {
  return {
    async query<Row extends Record<string, unknown>>(text: string, parameters: readonly unknown[]) {
      const name = statementName(text);
      const { rows } = await client.query({
        ...(name === undefined ? {} : { name }),
        text,
        values: [...parameters],
      });
      return rows as readonly Row[];
    },
  };
}

/** The part of Prisma's interactive transaction client that is needed, so that Prisma itself is not imported. */
export interface PrismaRawTransaction {
  $queryRawUnsafe(sql: string, ...parameters: unknown[]): PromiseLike<unknown>;
}

/** The `tx` that Prisma's `$transaction(async (tx) => …)` gives. */
export function fromPrisma(tx: PrismaRawTransaction): SqlTransaction {
  return {
    async query<Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[]) {
      return (await tx.$queryRawUnsafe(sql, ...parameters)) as readonly Row[];
    },
  };
}
