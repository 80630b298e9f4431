// Reads commands and their attempts: by id, and in pages cut by key.
import { HubError } from '@weft/core/errors';
import type { SqlTransaction } from '@weft/events/event-log';
import type { Store } from '../ingest/store.ts';
import { COMMAND_COLUMNS, type Command, type CommandRow } from './command.ts';
import type { CommandState } from './states.ts';

/** One sending of a command, or one question about it. */
export interface Attempt {
  readonly at: Date;
  /** Null while it runs. */
  readonly endedAt: Date | null;
  readonly kind: 'SEND' | 'ASK';
  readonly outcome: AttemptOutcome;
  readonly code: string | null;
}

export type AttemptOutcome =
  | 'STARTED'
  | 'NOT_SENT'
  | 'APPLIED'
  | 'REJECTED'
  | 'UNKNOWN'
  | 'FOUND'
  | 'NOT_FOUND'
  | 'NOT_ASKED';

export interface CommandFilter {
  readonly system?: string | null | undefined;
  readonly state?: CommandState | null | undefined;
}

export interface CommandPage {
  readonly commands: readonly Command[];
  readonly hasNextPage: boolean;
}

/** Commands in a page, at the most. */
export const PAGE_COMMANDS_MAX = 200;
/** Attempts that are shown of one command, at the most. */
export const ATTEMPTS_SHOWN_MAX = 200;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text can be the id of a command. */
export function isCommandId(text: string): boolean {
  return UUID.test(text);
}

/** Those of `ids` that there are, by id. @throws HubError STORE_UNAVAILABLE */
export async function readCommands(
  store: Store,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Command>> {
  const known = ids.filter(isCommandId);
  if (known.length === 0) return new Map();
  const rows = await store.transaction((transaction) => selectCommands(transaction, known));
  return new Map(rows.map((row) => [row.id, row]));
}

function selectCommands(transaction: SqlTransaction, ids: readonly string[]): Promise<readonly CommandRow[]> {
  return transaction.query<CommandRow>(
    `SELECT ${COMMAND_COLUMNS} FROM connectors.command c WHERE c.id = ANY($1::uuid[])`,
    [ids],
  );
}

/**
 * A page, the latest first.
 * @param after the last command of the page before
 * @throws HubError STORE_UNAVAILABLE
 */
export async function listCommands(
  store: Store,
  { system = null, state = null }: CommandFilter,
  first: number,
  after?: { readonly createdAt: string; readonly id: string },
): Promise<CommandPage> {
  const rows = await store.transaction((transaction) =>
    transaction.query<CommandRow>(
      `SELECT ${COMMAND_COLUMNS} FROM connectors.command c
       WHERE ($1::text IS NULL OR c.system = $1) AND ($2::text IS NULL OR c.state = $2)
         AND ($3::timestamptz IS NULL OR (c.created_at, c.id) < ($3::timestamptz, $4::uuid))
       ORDER BY c.created_at DESC, c.id DESC LIMIT $5`,
      // One more than asked for tells whether there is a next page.
      [system, state, after?.createdAt ?? null, after?.id ?? null, first + 1],
    ),
  );
  return { commands: rows.slice(0, first), hasNextPage: rows.length > first };
}

/** The last attempts of each command, the first one first. @throws HubError STORE_UNAVAILABLE */
export async function readAttempts(
  store: Store,
  commandIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Attempt[]>> {
  const rows = await store.transaction((transaction) =>
    transaction.query<Attempt & { readonly commandId: string } & Record<string, unknown>>(
      `SELECT a.command_id AS "commandId", a.at, a.ended_at AS "endedAt", a.kind, a.outcome, a.code
       FROM unnest($1::uuid[]) AS wanted(id)
       CROSS JOIN LATERAL (SELECT * FROM connectors.command_attempt t WHERE t.command_id = wanted.id
                           ORDER BY t.number DESC LIMIT $2) a
       ORDER BY a.command_id, a.number`,
      [commandIds, ATTEMPTS_SHOWN_MAX],
    ),
  );
  return Map.groupBy(rows, (row) => row.commandId);
}

/** The cursor of a command in a list: opaque to clients. */
export function encodeCommandCursor({ createdAt, id }: Pick<Command, 'createdAt' | 'id'>): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');
}

/** @throws HubError INVALID_CURSOR */
export function decodeCommandCursor(cursor: string): { readonly createdAt: string; readonly id: string } {
  const [createdAt = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (!Number.isNaN(Date.parse(createdAt)) && isCommandId(id)) return { createdAt, id };
  throw new HubError('INVALID_CURSOR', 'after: expected the cursor of a command');
}
