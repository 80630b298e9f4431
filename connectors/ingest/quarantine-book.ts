// What is in quarantine: listed, shown one by one, put away by a person who says why.
import { HubError } from '@weft/core/errors';
import type { SystemPlan } from '../plan.ts';
import { decodeText } from '../text-codec.ts';
import type { Store } from './store.ts';

/** An item without its body. */
export interface QuarantinedItem {
  readonly id: string;
  readonly system: string;
  readonly source: string;
  /** The type that it was taken for, when that much is known. */
  readonly type: string | null;
  /** That of the last attempt. */
  readonly reason: string;
  /** Of a file: its path, and the line of a row. */
  readonly place: string | null;
  readonly bytes: number;
  readonly receivedAt: Date;
  /** Replays that failed. */
  readonly attempts: number;
  readonly attemptedAt: Date | null;
  readonly discardedAt: Date | null;
  readonly discardedBy: string | null;
  readonly discardReason: string | null;
}

export interface QuarantineFilter {
  readonly system?: string | null | undefined;
  readonly source?: string | null | undefined;
  readonly type?: string | null | undefined;
  /** Received at this time or after it. */
  readonly since?: Date | null | undefined;
  readonly until?: Date | null | undefined;
  /** True: those that were discarded, and no others. */
  readonly discarded?: boolean | undefined;
}

export const PAGE_ITEMS_MAX = 200;
/** Of a body that is shown. */
const BODY_CHARS_MAX = 20_000;
const WHO_CHARS_MAX = 500;
const WHY_CHARS_MAX = 1_000;

interface ItemRow extends Record<string, unknown> {
  readonly id: string;
  readonly system: string;
  readonly source: string;
  readonly type: string | null;
  readonly reason: string;
  readonly place: string | null;
  readonly bytes: number;
  readonly received_at: Date;
  readonly received_us: string;
  readonly attempts: number;
  readonly attempted_at: Date | null;
  readonly discarded_at: Date | null;
  readonly discarded_by: string | null;
  readonly discard_reason: string | null;
}

const COLUMNS = `id, system, source, type, reason, place, octet_length(body) AS bytes, received_at,
  (extract(epoch FROM received_at) * 1000000)::bigint AS received_us,
  attempts, attempted_at, discarded_at, discarded_by, discard_reason`;

const LIST = `
SELECT ${COLUMNS} FROM connectors.quarantine
WHERE ($1::text IS NULL OR system = $1) AND ($2::text IS NULL OR source = $2) AND ($3::text IS NULL OR type = $3)
  AND ($4::timestamptz IS NULL OR received_at >= $4) AND ($5::timestamptz IS NULL OR received_at < $5)
  AND (discarded_at IS NOT NULL) = $6
  AND ($7::bigint IS NULL OR ((extract(epoch FROM received_at) * 1000000)::bigint, id) > ($7, $8::uuid))
ORDER BY (extract(epoch FROM received_at) * 1000000)::bigint, id LIMIT $9`;

export interface QuarantinePage {
  readonly items: readonly QuarantinedItem[];
  /** Of each item: where the page behind it begins. */
  readonly cursors: readonly string[];
  readonly hasNextPage: boolean;
  /** Where the next page begins; null when this one is empty. */
  readonly endCursor: string | null;
}

/**
 * Items in the order in which they came.
 * @param first at most PAGE_ITEMS_MAX
 * @param after an `endCursor`
 * @throws HubError LIMIT_EXCEEDED, BAD_USER_INPUT, INVALID_CURSOR, STORE_UNAVAILABLE
 */
export async function listQuarantined(
  store: Store,
  filter: QuarantineFilter,
  first: number,
  after?: string,
): Promise<QuarantinePage> {
  checkFirst(first);
  const place = after === undefined ? undefined : decodeCursor(after);
  const { system, source, type, since, until, discarded = false } = filter;
  const rows = await store.transaction((transaction) =>
    transaction.query<ItemRow>(LIST, [
      system ?? null,
      source ?? null,
      type ?? null,
      since ?? null,
      until ?? null,
      discarded,
      place?.receivedUs ?? null,
      place?.id ?? null,
      first + 1,
    ]),
  );
  const page = rows.slice(0, first);
  const cursors = page.map(({ received_us, id }) => encodeCursor(received_us, id));
  return {
    items: page.map(itemOf),
    cursors,
    hasNextPage: rows.length > first,
    endCursor: cursors.at(-1) ?? null,
  };
}

export interface ShownItem extends QuarantinedItem {
  /** As text in the charset that it is in, or in hexadecimal when it is in none that is known; cut at BODY_CHARS_MAX. */
  readonly body: string;
  readonly charset: string;
  readonly isCut: boolean;
}

/**
 * One item with its body. The body is the old system's own: for operators' eyes, and never for clients.
 * @param systems where the source's charset is looked for
 * @throws HubError NOT_FOUND, STORE_UNAVAILABLE
 */
export async function showQuarantined(
  store: Store,
  systems: readonly SystemPlan[],
  id: string,
): Promise<ShownItem> {
  checkId(id);
  const sql = `SELECT ${COLUMNS}, body FROM connectors.quarantine WHERE id = $1`;
  const [row] = await store.transaction((transaction) =>
    transaction.query<ItemRow & { body: Buffer }>(sql, [id]),
  );
  if (row === undefined) throw notFound(id);
  const source = systems.find(({ name }) => name === row.system)?.sources.get(row.source);
  const { text, charset } = readable(row.body, source?.encoding);
  return {
    ...itemOf(row),
    body: text.slice(0, BODY_CHARS_MAX),
    charset,
    isCut: text.length > BODY_CHARS_MAX,
  };
}

function readable(
  body: Buffer,
  encoding: string | undefined,
): { readonly text: string; readonly charset: string } {
  for (const charset of ['utf-8', ...(encoding === undefined ? [] : [encoding])]) {
    const text = decodeText(body, charset);
    if (text !== undefined) return { text, charset };
  }
  return { text: body.toString('hex'), charset: 'hex' };
}

/**
 * Puts an item away: it is not listed any more, and kept until housekeeping drops it.
 * @throws HubError NOT_FOUND, BAD_USER_INPUT, STORE_UNAVAILABLE
 */
export async function discardQuarantined(
  store: Store,
  id: string,
  { by, why }: { readonly by: string; readonly why: string },
): Promise<QuarantinedItem> {
  checkId(id);
  if (by.trim() === '' || by.length > WHO_CHARS_MAX)
    throw badInput(`by: expected 1 to ${WHO_CHARS_MAX} characters`);
  if (why.trim() === '' || why.length > WHY_CHARS_MAX || why.includes('\0'))
    throw badInput(`why: expected 1 to ${WHY_CHARS_MAX} characters`);
  const sql = `UPDATE connectors.quarantine SET discarded_at = now(), discarded_by = $2, discard_reason = $3
    WHERE id = $1 AND discarded_at IS NULL RETURNING ${COLUMNS}`;
  const [row] = await store.transaction((transaction) => transaction.query<ItemRow>(sql, [id, by, why]));
  if (row === undefined) throw notFound(id);
  return itemOf(row);
}

/** @throws HubError NOT_FOUND for what is no id at all */
export function checkId(id: string): void {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw notFound(id);
}

export function notFound(id: string): HubError {
  return new HubError('NOT_FOUND', `there is no item ${id.slice(0, 40)} in quarantine`);
}

function checkFirst(first: number): void {
  if (first < 0) throw badInput(`first: expected 0 to ${PAGE_ITEMS_MAX}, got ${first}`);
  if (first <= PAGE_ITEMS_MAX) return;
  const message = `first: at most ${PAGE_ITEMS_MAX} a page, got ${first}`;
  throw new HubError('LIMIT_EXCEEDED', message, {
    details: { limit: 'PAGE_ITEMS_MAX', max: PAGE_ITEMS_MAX },
  });
}

function badInput(message: string): HubError {
  return new HubError('BAD_USER_INPUT', message);
}

function encodeCursor(receivedUs: string, id: string): string {
  return Buffer.from(`${receivedUs}:${id}`).toString('base64url');
}

function decodeCursor(cursor: string): { readonly receivedUs: string; readonly id: string } {
  const [, receivedUs, id] =
    /^(\d{1,18}):([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (receivedUs === undefined || id === undefined)
    throw new HubError('INVALID_CURSOR', 'after: expected a cursor of this list');
  return { receivedUs, id };
}

function itemOf(row: ItemRow): QuarantinedItem {
  const { id, system, source, type, reason, place, bytes, attempts } = row;
  return {
    id,
    system,
    source,
    type,
    reason,
    place,
    bytes,
    attempts,
    receivedAt: row.received_at,
    attemptedAt: row.attempted_at,
    discardedAt: row.discarded_at,
    discardedBy: row.discarded_by,
    discardReason: row.discard_reason,
  };
}
