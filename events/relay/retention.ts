// How long and how much of each topic is kept: the setting, and what enforces it.
import { OperatorError } from '@weft/core/errors';
import type { LiveEngine } from '../live-engine.ts';
import type { StorePool } from '../postgres/pool.ts';
import { parsePosition } from '../postgres/position.ts';
import { readTrimmed, trimTopic } from '../postgres/trim.ts';
import { readAcknowledged } from './acknowledged.ts';

export interface TopicRetention {
  readonly olderThanMs?: number;
  readonly bytesMax?: number;
}

export type RetentionOf = (topic: string) => TopicRetention;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const UNIT_BYTES: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const AMOUNT = /^(\d{1,12})(s|m|h|d|KB|MB|GB|TB)$/;

export const RETENTION_DEFAULT = '30d,10GB';

/**
 * `30d,10GB; incident=90d,20GB`: what holds for every topic, then topics by name; either half may be left out.
 * @throws OperatorError naming the part that is wrong
 */
export function parseRetention(text: string): RetentionOf {
  const ofTopics = new Map<string, TopicRetention>();
  let ofOthers: TopicRetention = {};
  for (const part of text.split(';').map((piece) => piece.trim())) {
    if (part === '') continue;
    const at = part.lastIndexOf('=');
    const retention = parseAmounts(part.slice(at + 1), part);
    if (at < 0) ofOthers = retention;
    else ofTopics.set(part.slice(0, at).trim(), retention);
  }
  return (topic) => ofTopics.get(topic) ?? ofOthers;
}

function parseAmounts(text: string, part: string): TopicRetention {
  const retention: { olderThanMs?: number; bytesMax?: number } = {};
  for (const amount of text.split(',').map((piece) => piece.trim())) {
    const [, digits = '', unit = ''] = AMOUNT.exec(amount) ?? [];
    const ms = UNIT_MS[unit];
    const bytes = UNIT_BYTES[unit];
    if (ms !== undefined) retention.olderThanMs = Number(digits) * ms;
    else if (bytes !== undefined) retention.bytesMax = Number(digits) * bytes;
    else
      throw new OperatorError(
        `WEFT_EVENT_RETENTION: '${part}' is none: expected 30d,10GB or topic=30d,10GB, with s, m, h, d and KB, MB, GB, TB`,
        { exitCode: 2 },
      );
  }
  return retention;
}

/** Trims one topic, in PostgreSQL first: never beyond what the live engine, if there is one, has acknowledged. Returns how many events went. */
export async function enforceRetention(
  pool: StorePool,
  topic: string,
  retention: TopicRetention,
  engine: LiveEngine | undefined,
): Promise<number> {
  const acknowledged = engine && (await readAcknowledged(pool, topic, engine.name));
  if (engine !== undefined && acknowledged === undefined) return 0;
  const trimmed = await trimTopic(pool, topic, { ...retention, upTo: acknowledged?.position });
  const upTo = await readTrimmed(pool, topic);
  const { tx, seq } = parsePosition(upTo);
  // An event that is not kept any more needs nobody's care.
  await pool.query(
    'DELETE FROM events.dead_letter WHERE topic = $1 AND (tx, seq) <= ($2::xid8, $3::bigint)',
    [topic, tx, seq],
  );
  await engine?.trim(topic, upTo);
  return trimmed;
}
