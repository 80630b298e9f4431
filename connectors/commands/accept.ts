// Stores a write before anything is sent: once for each client number.
import { createHash, randomUUID } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { EventAppender, SqlTransaction } from '@weft/events/event-log';
import type { NotifiedCommand } from '@weft/schema/incident-notification';
import type { Store } from '../ingest/store.ts';
import {
  COMMAND_COLUMNS,
  COMMAND_TOPIC,
  type Command,
  type CommandRow,
  commandEvent,
  type Dispatched,
} from './command.ts';
import { UNSETTLED } from './states.ts';

/** A write as it comes. */
export interface Draft {
  readonly system: string;
  readonly source: string;
  /** Of Mutation. */
  readonly field: string;
  /** Who asks; empty for the anonymous. */
  readonly principal: string;
  readonly idempotencyKey: string;
  readonly subject: string | null;
  readonly args: Readonly<Record<string, unknown>>;
  readonly giveUpAfterMs: number;
  readonly correlationId: string;
  /** Of the hub's own: the attempt that it carries out. */
  readonly dispatch?: Dispatched;
  /** Likewise: the reporter that it tells. */
  readonly notification?: NotifiedCommand;
}

/** Of a client number, and of a subject. */
export const KEY_LENGTH_MAX = 200;
/** Of the arguments in JSON. */
const ARGS_LENGTH_MAX = 256_000;
/** Commands of one source that may be unsettled at once. */
const UNSETTLED_MAX = 10_000;

const INSERT = `
INSERT INTO connectors.command AS c (id, system, source, field, principal, idempotency_key, content_hash, args, subject, state,
  correlation_id, next_at, give_up_at, dispatch, notification)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'PENDING', $10, clock_timestamp(), clock_timestamp() + make_interval(secs => $11), $12, $13)
ON CONFLICT (system, source, idempotency_key) DO NOTHING RETURNING ${COMMAND_COLUMNS}`;

/**
 * Stores the write as PENDING, or finds the one that came before it under the same client number.
 * @throws HubError BAD_USER_INPUT; CONFLICT when the number came with another content, or from another one, before;
 *   LIMIT_EXCEEDED (retryable) when too many are unsettled; STORE_UNAVAILABLE
 */
export async function acceptCommand(store: Store, appender: EventAppender, draft: Draft): Promise<Command> {
  const found = await store.transaction((transaction) => storeCommand(transaction, appender, draft, true));
  if (found === undefined) throw full(draft);
  const { command, contentHash } = found;
  if (command.principal === draft.principal && command.contentHash === contentHash) return command;
  throw conflict(command, draft);
}

/**
 * Stores the write in the caller's transaction, or finds the one that came before it: it is the same one only when its
 * principal and its hash are.
 * @param isLimited whether too many that are unsettled keep it from being stored
 * @returns the command, and the hash of what was to be stored; undefined when there are too many
 * @throws HubError LIMIT_EXCEEDED for arguments that are too long
 */
export async function storeCommand(
  transaction: StoreTransaction,
  appender: EventAppender,
  draft: Draft,
  isLimited: boolean,
): Promise<{ readonly command: Command; readonly contentHash: string } | undefined> {
  const args = requireArgs(draft.args);
  const contentHash = hashOf(draft.field, draft.args);
  if (isLimited) {
    const known = await findCommand(transaction, draft);
    if (known !== undefined) return { command: known, contentHash };
    if (await isFull(transaction, draft)) return undefined;
  }
  // Commands of one subject get their places in the order in which they are committed.
  if (draft.subject !== null) await lockSubject(transaction.later, draft, draft.subject);
  const [command] = await transaction.query<CommandRow>(INSERT, [
    randomUUID(),
    ...[draft.system, draft.source, draft.field, draft.principal, draft.idempotencyKey, contentHash, args],
    ...[draft.subject, draft.correlationId, draft.giveUpAfterMs / 1_000],
    draft.dispatch === undefined ? null : JSON.stringify(draft.dispatch),
    draft.notification === undefined ? null : JSON.stringify(draft.notification),
  ]);
  if (command !== undefined) {
    await appender.append(transaction.later, COMMAND_TOPIC, [commandEvent(command, null, 'ACCEPTED')]);
    return { command, contentHash };
  }
  // It is there already: one that was told before, or somebody was faster.
  const faster = await findCommand(transaction, draft);
  return faster && { command: faster, contentHash };
}

async function findCommand(
  transaction: SqlTransaction,
  { system, source, idempotencyKey }: Draft,
): Promise<Command | undefined> {
  const [row] = await transaction.query<CommandRow>(
    `SELECT ${COMMAND_COLUMNS} FROM connectors.command c
     WHERE c.system = $1 AND c.source = $2 AND c.idempotency_key = $3`,
    [system, source, idempotencyKey],
  );
  return row;
}

async function isFull(transaction: SqlTransaction, { system, source }: Draft): Promise<boolean> {
  const [row] = await transaction.query<{ readonly count: number }>(
    `SELECT count(*)::int AS count FROM (SELECT 1 FROM connectors.command c
     WHERE c.system = $1 AND c.source = $2 AND c.state = ANY($3::text[]) LIMIT $4) AS unsettled`,
    [system, source, UNSETTLED, UNSETTLED_MAX],
  );
  return (row?.count ?? 0) >= UNSETTLED_MAX;
}

/** Until the transaction ends: places in a subject are given one after the other. */
export async function lockSubject(
  transaction: SqlTransaction,
  { system, source }: Pick<Draft, 'system' | 'source'>,
  subject: string,
): Promise<void> {
  const text = JSON.stringify([system, source, subject]);
  await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [text]);
}

function requireArgs(args: Draft['args']): string {
  const text = JSON.stringify(args);
  if (text.length <= ARGS_LENGTH_MAX) return text;
  throw new HubError('LIMIT_EXCEEDED', `the arguments of a write may have ${ARGS_LENGTH_MAX} characters`, {
    details: { limit: 'ARGS_LENGTH_MAX', max: ARGS_LENGTH_MAX, got: text.length },
  });
}

/** Equal for equal content, in whatever order the fields of an object stand. */
function hashOf(field: string, args: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([field, inOrder(args)]))
    .digest('hex');
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, inner]) => [name, inOrder(inner)]);
}

function full({ system, source }: Draft): HubError {
  return new HubError('LIMIT_EXCEEDED', `${system}: at most ${UNSETTLED_MAX} writes may be unsettled`, {
    system,
    origin: 'HUB',
    retryable: true,
    details: { source, limit: 'UNSETTLED_MAX', max: UNSETTLED_MAX },
  });
}

function conflict(found: Command, { principal, system, source }: Draft): HubError {
  const own = found.principal === principal;
  const message = own
    ? 'the client number came with another content before'
    : 'the client number was used by another one before';
  return new HubError('CONFLICT', `${system}: ${message}`, {
    system,
    origin: 'HUB',
    details: { source, ...(own ? { command: found.id } : {}) },
  });
}
