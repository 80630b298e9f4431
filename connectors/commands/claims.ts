// Takes commands to work on, by a lease: of several hosts one gets each, and who loses the lease settles nothing.
import type { StoreTransaction } from '@weft/core/sql-store';
import { beginAttempts, endAttempts } from './attempts.ts';
import { COMMAND_COLUMNS, type Command, type CommandRow } from './command.ts';
import { type CommandWriter, moveCommands } from './move.ts';

/** The writes of one source that this host knows how to send. */
export interface Lane {
  readonly system: string;
  readonly source: string;
  /** Names of their fields. */
  readonly fields: readonly string[];
  /** Those among them that the old system can be asked about. */
  readonly askable: readonly string[];
  /** Those that may be sent again without asking. */
  readonly retryable: readonly string[];
}

/** Sendings whose outcome was not known, after which a command is given up. */
export const TRIES_MAX = 8;
/** Commands that one sweep moves, at the most: the next one takes the rest. */
const SWEPT_MAX = 200;

/** Another of its subject is being sent, may have been applied, or came before it. */
const IS_FREE = `(c.subject IS NULL OR NOT EXISTS (
  SELECT 1 FROM connectors.command e WHERE e.system = c.system AND e.source = c.source AND e.subject = c.subject
    AND (e.state IN ('SENT', 'UNKNOWN') OR (e.state = 'PENDING' AND e.seq < c.seq))))`;

/** What may have been applied is sent again only by a person, who then knows better. */
const IS_SUPERSEDED = '(c.superseded_at IS NOT NULL AND NOT c.may_be_applied)';

const LEASE = `lease_token = gen_random_uuid(), attempt_count = c.attempt_count + 1,
  lease_until = clock_timestamp() + make_interval(secs => $4), next_at = clock_timestamp() + make_interval(secs => $4)`;

/** PENDING to SENT, the oldest first, but for what `sweep` gives up: whoever has them may call until the lease ends. */
export async function takePending(
  writer: CommandWriter,
  { system, source, fields }: Lane,
  limit: number,
  leaseMs: number,
): Promise<readonly Command[]> {
  const taken = await moveCommands(writer, {
    cause: 'TAKEN',
    where: `c.system = $1 AND c.source = $2 AND c.field = ANY($3::text[]) AND c.next_at <= clock_timestamp()
      AND c.give_up_at > clock_timestamp() AND c.tries < $5 AND NOT ${IS_SUPERSEDED} AND ${IS_FREE}`,
    set: LEASE,
    parameters: [system, source, fields, leaseMs / 1_000, TRIES_MAX],
    limit,
  });
  await beginAttempts(writer.transaction.later, taken, 'SEND');
  return taken;
}

/** A command to be asked about, and when by the database's clock. */
export interface Question {
  readonly command: Command;
  readonly askedAt: Date;
}

/** UNKNOWN ones that are due to be asked about; their state stays as it is. */
export async function takeQuestions(
  transaction: StoreTransaction,
  { system, source, askable }: Lane,
  limit: number,
  leaseMs: number,
): Promise<readonly Question[]> {
  if (askable.length === 0) return [];
  const rows = await transaction.query<CommandRow & { readonly askedAt: Date }>(
    `WITH due AS (SELECT c.id FROM connectors.command c
       WHERE c.state = 'UNKNOWN' AND c.system = $1 AND c.source = $2 AND c.field = ANY($3::text[])
         AND c.next_at <= clock_timestamp() ORDER BY c.next_at LIMIT $4 FOR UPDATE OF c SKIP LOCKED)
     UPDATE connectors.command c SET lease_token = gen_random_uuid(), attempt_count = c.attempt_count + 1,
       lease_until = clock_timestamp() + make_interval(secs => $5), next_at = clock_timestamp() + make_interval(secs => $5)
     FROM due WHERE c.id = due.id RETURNING ${COMMAND_COLUMNS}, clock_timestamp() AS "askedAt"`,
    [system, source, askable, limit, leaseMs / 1_000],
  );
  await beginAttempts(transaction.later, rows, 'ASK');
  return rows.map(({ askedAt, ...command }) => ({ command, askedAt }));
}

/** Moves what time alone moves: leases that ended, commands that are sent again unasked, and those given up. */
export async function sweep(writer: CommandWriter, lane: Lane): Promise<void> {
  const { system, source, askable, retryable } = lane;
  const lapsed = await moveCommands(writer, {
    cause: 'LEASE_ENDED',
    where: 'c.system = $1 AND c.source = $2 AND c.next_at <= clock_timestamp()',
    set: `may_be_applied = true, tries = c.tries + 1, fruitless = 0, code = 'LEASE_ENDED', unknown_since = clock_timestamp(),
      next_at = CASE WHEN c.field = ANY($3::text[]) THEN clock_timestamp() END`,
    parameters: [system, source, [...askable, ...retryable]],
    limit: SWEPT_MAX,
  });
  await endAttempts(writer.transaction.later, lapsed, 'UNKNOWN', 'LEASE_ENDED');
  await moveCommands(writer, {
    cause: 'SUPERSEDED',
    where: `c.system = $1 AND c.source = $2 AND c.next_at <= clock_timestamp() AND ${IS_SUPERSEDED}`,
    set: 'next_at = NULL',
    parameters: [system, source],
    limit: SWEPT_MAX,
  });
  await moveCommands(writer, {
    cause: 'GIVEN_UP',
    where: `c.system = $1 AND c.source = $2 AND c.next_at <= clock_timestamp()
      AND (c.give_up_at <= clock_timestamp() OR (c.state = 'PENDING' AND c.tries >= $3))`,
    set: `code = 'GIVEN_UP', next_at = NULL`,
    parameters: [system, source, TRIES_MAX],
    limit: SWEPT_MAX,
  });
  await moveCommands(writer, {
    cause: 'RETRYABLE',
    where: `c.system = $1 AND c.source = $2 AND c.field = ANY($3::text[]) AND c.next_at <= clock_timestamp()`,
    set: 'next_at = clock_timestamp()',
    parameters: [system, source, retryable.filter((field) => !askable.includes(field))],
    limit: SWEPT_MAX,
  });
}
