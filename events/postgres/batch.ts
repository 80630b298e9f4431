// Reads one batch of a topic: one statement, hence one snapshot for events, retention and what is not yet readable.

import type { CloudEvent } from '../envelope.ts';
import type { LogEvent, LogGap, Position } from '../event-log.ts';
import type { StorePool } from './pool.ts';
import { formatPosition, parsePosition } from './position.ts';

export interface Batch {
  /** A gap stands first. */
  readonly entries: readonly (LogEvent | LogGap)[];
  /** More may be readable at once: the batch is full. */
  readonly full: boolean;
  /** Something is committed that must wait for a transaction that began earlier. */
  readonly pending: boolean;
}

// `tx < xmin` is the whole guarantee: below the snapshot's xmin every transaction has ended, so no row can still
// appear there. See docs/events.md. The row comparison uses the index (topic, tx, seq).
const READ_BATCH = `
SELECT 'gap' AS kind, trimmed_tx AS tx, trimmed_seq AS seq, NULL::text AS envelope
FROM events.retention
WHERE topic = $1 AND (trimmed_tx, trimmed_seq) > ($2::xid8, $3::bigint)
UNION ALL
(SELECT 'event', tx, seq, envelope::text
 FROM events.event
 WHERE topic = $1 AND (tx, seq) > ($2::xid8, $3::bigint) AND (tx, seq) <= ($4::xid8, $5::bigint)
   AND tx < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY tx, seq
 LIMIT $6)
UNION ALL
(SELECT 'pending', tx, seq, NULL
 FROM events.event
 WHERE topic = $1 AND (tx, seq) > ($2::xid8, $3::bigint) AND tx >= pg_snapshot_xmin(pg_current_snapshot())
 LIMIT 1)`;

interface Row {
  readonly kind: 'gap' | 'event' | 'pending';
  readonly tx: string;
  readonly seq: string;
  readonly envelope: string;
}

/** What stands after `after`, up to `upTo` with it included, `eventsMax` events at the most. */
export async function readBatch(
  pool: StorePool,
  topic: string,
  after: Position,
  upTo: Position,
  eventsMax: number,
): Promise<Batch> {
  const from = parsePosition(after);
  const to = parsePosition(upTo);
  const { rows } = await pool.query<Row>({
    name: 'weft-read-batch',
    text: READ_BATCH,
    values: [topic, from.tx, from.seq, to.tx, to.seq, eventsMax],
  });
  const gaps = rows.filter((row) => row.kind === 'gap').map((row) => toGap(row, after));
  const events = rows
    .filter((row) => row.kind === 'event')
    .map((row) => toLogEvent(formatPosition(row), row.envelope));
  return {
    entries: [...gaps, ...events],
    full: events.length >= eventsMax,
    pending: rows.some((row) => row.kind === 'pending'),
  };
}

function toGap(row: Row, from: Position): LogGap {
  return { kind: 'gap', from, to: formatPosition(row), reason: 'RETENTION' };
}

/** @param envelope written by `append`, which takes a CloudEvent */
export function toLogEvent(position: Position, envelope: string): LogEvent {
  const event = JSON.parse(envelope) as CloudEvent;
  return { kind: 'event', position, event, chars: envelope.length };
}
