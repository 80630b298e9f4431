// Brings the rows of many keys in as few calls as the old system allows.
import { deadlineSignal } from '@weft/core/deadline';
import type { BatchPlan, ConnectPlan } from '../plan.ts';
import { upstreamError } from '../upstream-error.ts';
import { callConnect, operationName, type Row } from './connect.ts';
import type { RequestContext } from './request-context.ts';
import { loadStored } from './stored.ts';
import { sourceOf } from './system.ts';

export type BatchedConnect = ConnectPlan & { readonly batch: BatchPlan };

/** Rows of a dictionary that is loaded whole, at the most. */
const LOAD_ALL_ROWS_MAX = 5_000;
/** A fan-out ends with the subgraph's own deadline at the latest. */
const FAN_OUT_MS_MAX = 5_000;

/**
 * The rows of each key, by the key's text: keys compare as GraphQL IDs do, so `1` meets `"1"`.
 * A row whose `match` field is none of the keys is not for us and is left out.
 */
export async function loadRows(
  request: RequestContext,
  connect: BatchedConnect,
  batchField: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly (Row | Error)[]>> {
  switch (connect.batch.how) {
    case 'STORE':
      return loadStored(request, connect, keys);
    case 'LIST_PARAM':
    case 'JSON_BODY':
    case 'SOAP_ARRAY':
    case 'SQL_IN':
      return byKey(connect, keys, await callConnect(request, connect, { batch: { [batchField]: keys } }));
    case 'LOAD_ALL':
      return byKey(connect, keys, await loadAll(request, connect));
    case 'FAN_OUT':
      return fanOut(request, connect, batchField, keys);
    default:
      return connect.batch.how satisfies never;
  }
}

/**
 * What each key has, in the order of the keys, no two of which are alike: one row at the most, or null.
 * @param severalError for a key that has several rows
 */
export async function loadSingles(
  request: RequestContext,
  connect: BatchedConnect,
  batchField: string,
  keys: readonly string[],
  severalError: (key: string, rows: number) => Error,
): Promise<readonly (Row | null | Error)[]> {
  const rows = isOneCall(connect)
    ? await callConnect(request, connect, { batch: { [batchField]: keys } })
    : undefined;
  if (rows !== undefined && isEachOfItsKey(connect, keys, rows)) return rows;
  const groups =
    rows === undefined ? await loadRows(request, connect, batchField, keys) : byKey(connect, keys, rows);
  return keys.map((key) => {
    const found = groups.get(key) ?? NO_ROWS;
    return found.length > 1 ? severalError(key, found.length) : (found[0] ?? null);
  });
}

/** Whether one call takes all keys, and answers with rows of them. */
function isOneCall({ batch: { how } }: BatchedConnect): boolean {
  return how !== 'STORE' && how !== 'LOAD_ALL' && how !== 'FAN_OUT';
}

/** Most systems that are asked for a list of keys answer with one row of each, in their order. */
function isEachOfItsKey(
  { batch: { match } }: BatchedConnect,
  keys: readonly string[],
  rows: readonly Row[],
): boolean {
  if (rows.length !== keys.length || match in Object.prototype) return false;
  for (let at = 0; at < keys.length; at += 1) if (rows[at]?.[match] !== keys[at]) return false;
  return true;
}

/** Shared by all keys that have none. */
const NO_ROWS: readonly Row[] = [];

/** Rows under their keys; pure. */
export function byKey(
  connect: BatchedConnect,
  keys: readonly string[],
  rows: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  const { match } = connect.batch;
  const groups = new Map<string, readonly Row[]>();
  for (const key of keys) groups.set(key, NO_ROWS);
  for (const row of rows) {
    const value = Object.hasOwn(row, match) ? row[match] : undefined;
    if (value === null || value === undefined) continue;
    const key = typeof value === 'string' ? value : String(value);
    const group = groups.get(key);
    if (group === NO_ROWS) groups.set(key, [row]);
    else (group as Row[] | undefined)?.push(row);
  }
  return groups;
}

async function loadAll(request: RequestContext, connect: BatchedConnect): Promise<readonly Row[]> {
  const rows = await callConnect(request, connect, {});
  if (rows.length <= LOAD_ALL_ROWS_MAX) return rows;
  const context = {
    system: request.system.plan.name,
    source: connect.source,
    operation: operationName(connect.call),
  };
  throw upstreamError(
    'UPSTREAM_INVALID',
    `expected a dictionary of at most ${LOAD_ALL_ROWS_MAX} rows`,
    context,
    {
      limit: 'LOAD_ALL_ROWS_MAX',
    },
  );
}

/** One call a key, as many at once as the source allows; one that fails is that key's failure alone. */
async function fanOut(
  request: RequestContext,
  connect: BatchedConnect,
  batchField: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly (Row | Error)[]>> {
  const bounded = { ...request, signal: deadlineSignal(FAN_OUT_MS_MAX, request.signal) };
  const groups = new Map<string, readonly (Row | Error)[]>();
  const waiting = keys.values();
  const work = async () => {
    for (const key of waiting) {
      groups.set(
        key,
        await callConnect(bounded, connect, { batch: { [batchField]: [key] } }).then(
          (rows) => byKey(connect, [key], rows).get(key) ?? [],
          (thrown: unknown) => [thrown instanceof Error ? thrown : new TypeError(String(thrown))],
        ),
      );
    }
  };
  const lanes = sourceOf(request.system, connect.source).plan.guard.concurrency;
  await Promise.all(Array.from({ length: Math.min(lanes, keys.length) }, work));
  return groups;
}
