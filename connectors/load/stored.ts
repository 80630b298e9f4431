// Reads what `@ingest` kept: many records by their keys, or a list that arguments narrow.
import { HubError, invariant } from '@weft/core/errors';
import { isDataError } from '../ingest/store.ts';
import type { ConnectPlan, StoreCall, StoreFilter } from '../plan.ts';
import type { Row } from './connect.ts';
import type { RequestContext } from './request-context.ts';

/** Records of one list; a longer one must be narrowed, or bounded by `first`. */
export const STORE_ROWS_MAX = 1_000;
/** Values of one argument that is a list. */
const VALUES_MAX = 1_000;

interface StoredRow extends Record<string, unknown> {
  readonly key: string;
  readonly data: Row;
}

const BY_KEYS = `
SELECT key, data FROM connectors.record WHERE system = $1 AND type = $2 AND key = ANY($3::text[])`;

/**
 * The record of each key, at most one; all in one query.
 * @throws HubError STORE_UNAVAILABLE
 */
export async function loadStored(
  request: RequestContext,
  { call }: ConnectPlan,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly Row[]>> {
  invariant(call.protocol === 'store', 'a loader of the store reads the store');
  // No text of the database holds a NUL, so that no record has such a key.
  const askable = keys.filter((key) => !key.includes('\0'));
  const rows = await query(request, call, BY_KEYS, [askable]);
  return new Map(rows.map(({ key, data }) => [key, [withoutKeyObject(data, call)]]));
}

/**
 * The records that the arguments leave, in the order of their keys.
 * @throws HubError STORE_UNAVAILABLE, BAD_USER_INPUT, or LIMIT_EXCEEDED for a list that is longer than it may be
 */
export async function listStored(
  request: RequestContext,
  call: StoreCall,
  args: Readonly<Record<string, unknown>>,
): Promise<readonly Row[]> {
  const first = firstOf(call, args);
  const parameters: unknown[] = [];
  const conditions = call.filters.flatMap((filter) => {
    const value = args[filter.argument];
    if (value === null || value === undefined) return [];
    parameters.push(
      filter.field,
      filter.comparison === 'EQ' ? textsOf(value, filter) : textOf(value, filter),
    );
    return [condition(filter, parameters.length + 2)];
  });
  const sql = `SELECT key, data FROM connectors.record WHERE ${['system = $1', 'type = $2', ...conditions].join(' AND ')}
    ORDER BY key COLLATE "C" LIMIT ${(first ?? STORE_ROWS_MAX) + 1}`;
  const rows = await query(request, call, sql, parameters);
  if (first === undefined && rows.length > STORE_ROWS_MAX) {
    const message = `expected at most ${STORE_ROWS_MAX} records of ${call.type}: narrow the question`;
    throw new HubError('LIMIT_EXCEEDED', message, {
      system: request.system.plan.name,
      details: { limit: 'STORE_ROWS_MAX' },
    });
  }
  return rows.slice(0, first ?? STORE_ROWS_MAX).map(({ data }) => withoutKeyObject(data, call));
}

/** @param at number of the value's parameter, behind system and type; that of the field's name is one less */
function condition({ comparison, kind }: StoreFilter, at: number): string {
  const value = `data->>$${at - 1}::text`;
  if (comparison === 'EQ' && kind !== 'TIME') return `${value} = ANY($${at}::text[])`;
  const compared = { TEXT: `(${value}) COLLATE "C"`, NUMBER: asNumber(value), TIME: asTime(value) }[kind];
  const type = { TEXT: 'text', NUMBER: 'numeric', TIME: 'timestamptz' }[kind];
  if (comparison === 'EQ') return `${compared} = ANY($${at}::${type}[])`;
  return `${compared} ${comparison === 'FROM' ? '>=' : '<='} $${at}::${type}`;
}

/** What was kept need not be what the type says: a cast of anything else would end the whole query. */
function asNumber(value: string): string {
  return `CASE WHEN ${value} ~ '^-?[0-9]{1,40}([.][0-9]{1,40})?$' THEN (${value})::numeric END`;
}

function asTime(value: string): string {
  return `CASE WHEN ${value} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*(Z|[+-][0-9]{2}:[0-9]{2})$' THEN (${value})::timestamptz END`;
}

function textsOf(value: unknown, filter: StoreFilter): readonly string[] {
  const values = Array.isArray(value) ? value : [value];
  if (values.length > VALUES_MAX)
    throw badInput(`expected at most ${VALUES_MAX} values in ${filter.argument}`);
  return values.filter((each) => each !== null).map((each) => textOf(each, filter));
}

function textOf(value: unknown, { argument }: StoreFilter): string {
  const text = value instanceof Date ? value.toISOString() : String(value);
  if (typeof value === 'object' && !(value instanceof Date))
    throw badInput(`expected a value in ${argument}`);
  if (text.includes('\0')) throw badInput(`expected ${argument} without U+0000`);
  return text;
}

function firstOf({ firstArgument }: StoreCall, args: Readonly<Record<string, unknown>>): number | undefined {
  const first = firstArgument === undefined ? undefined : args[firstArgument];
  if (typeof first !== 'number') return undefined;
  if (first < 1 || first > STORE_ROWS_MAX) throw badInput(`expected first to be 1 to ${STORE_ROWS_MAX}`);
  return first;
}

async function query(
  { system, signal }: RequestContext,
  call: StoreCall,
  sql: string,
  parameters: readonly unknown[],
): Promise<readonly StoredRow[]> {
  const { store, plan } = system;
  invariant(store !== undefined, `${plan.name} reads the store, and was opened without one`);
  signal.throwIfAborted();
  try {
    return await store.transaction((transaction) =>
      transaction.query<StoredRow>(sql, [plan.name, call.type, ...parameters]),
    );
  } catch (thrown) {
    if (!isDataError(thrown)) throw thrown;
    throw badInput(`the arguments do not compare with what was kept of ${call.type}`, thrown);
  }
}

function badInput(message: string, cause?: unknown): HubError {
  return new HubError('BAD_USER_INPUT', message, { cause });
}

/** An event's data holds the entity's key in a field of its own, which is none of the record's. */
function withoutKeyObject(data: Row, { entityField }: StoreCall): Row {
  const { [entityField]: _key, ...kept } = data;
  return kept;
}
