// The loaders of one request: one for each entity type and one for each batched field.
import DataLoader from 'dataloader';
import type { Answered } from '../freshness/fresh-answers.ts';
import type { EntityPlan, FieldPlan } from '../plan.ts';
import { upstreamError } from '../upstream-error.ts';
import { loadAnswers, originOf } from './answers.ts';
import { type BatchedConnect, loadSingles } from './batch.ts';
import { operationName, type Row } from './connect.ts';
import type { RequestContext } from './request-context.ts';

type BatchField = Extract<FieldPlan, { kind: 'batch' }>;

/**
 * Loads one entity by its key: null when the system does not have it.
 * @throws HubError; UPSTREAM_INVALID for this key alone when the system has it twice
 */
export function loadEntity(request: RequestContext, plan: EntityPlan, key: unknown): Promise<Row | null> {
  return entityLoader(request, plan).load(String(key));
}

function entityLoader(request: RequestContext, plan: EntityPlan): DataLoader<string, Row | null> {
  let loader = request.entityLoaders.get(plan.type);
  if (loader === undefined) {
    loader = new DataLoader<string, Row | null>((keys) => loadOne(request, plan, keys), {
      maxBatchSize: maxBatchSize(plan.connect),
    });
    request.entityLoaders.set(plan.type, loader);
  }
  return loader;
}

/**
 * Many entities by their keys, in as few calls, past the loader that gathers keys: for who has them all at hand.
 * @returns one for each key, in their order; a key that failed has its error, nothing is thrown
 */
export async function loadEntities(
  request: RequestContext,
  plan: EntityPlan,
  keys: readonly string[],
): Promise<readonly (Row | null | Error)[]> {
  const asked = new Set(keys);
  const unique = asked.size === keys.length ? keys : [...asked];
  const size = Math.min(maxBatchSize(plan.connect), Math.max(unique.length, 1));
  const parts = Array.from({ length: Math.ceil(unique.length / size) }, (_, part) =>
    unique.slice(part * size, (part + 1) * size),
  );
  const loaded = await Promise.all(
    parts.map((part) =>
      loadOne(request, plan, part).catch((thrown: unknown) => {
        const error = thrown instanceof Error ? thrown : new TypeError(String(thrown));
        return part.map(() => error);
      }),
    ),
  );
  const rows: (Row | null | Error)[] = [];
  for (const part of loaded) rows.push(...part);
  if (unique.length === keys.length) return rows;
  const places = new Map(unique.map((key, place) => [key, place]));
  return keys.map((key) => rows[places.get(key) ?? -1] ?? null);
}

/** Gives what was loaded for these keys to the request's own loader, which then asks for none of it again. */
export function keepEntities(
  request: RequestContext,
  plan: EntityPlan,
  keys: readonly string[],
  loaded: readonly (Row | null | Error)[],
): void {
  const loader = entityLoader(request, plan);
  for (const [at, key] of keys.entries()) loader.prime(key, loaded[at] ?? null);
}

/** Loads the rows that belong to one parent, gathered with those of its siblings. */
export function loadBatchField(
  request: RequestContext,
  name: string,
  plan: BatchField,
  parentKey: unknown,
): Promise<readonly Row[]> {
  let loader = request.batchLoaders.get(name);
  if (loader === undefined) {
    loader = new DataLoader<string, readonly Row[]>((keys) => loadMany(request, name, plan, keys), {
      maxBatchSize: maxBatchSize(plan.connect),
    });
    request.batchLoaders.set(name, loader);
  }
  return loader.load(String(parentKey));
}

/** A dictionary that is loaded whole is loaded once, however many keys are asked. */
function maxBatchSize(connect: BatchedConnect): number {
  return connect.batch.how === 'LOAD_ALL' ? Number.POSITIVE_INFINITY : connect.batch.keysMax;
}

async function loadOne(
  request: RequestContext,
  plan: EntityPlan,
  keys: readonly string[],
): Promise<readonly (Row | null | Error)[]> {
  const { type, connect, freshness } = plan;
  const several = (key: string, rows: number) => duplicate(request, connect, `${type} ${key}`, rows);
  const note = (row: Row | null | Error, key: string, aged: Omit<Answered, 'rows'>) => {
    if (row !== null && request.origins.isTold(aged.state))
      request.origins.set(row, originOf(connect.source, key, aged));
  };
  if (freshness === undefined) {
    const aged = { state: 'FRESH', observedAtMs: Date.now(), ageMs: 0 } as const;
    const rows = await loadSingles(request, connect, plan.keyField, keys, several);
    if (request.origins.isTold(aged.state))
      for (const [at, key] of keys.entries()) note(rows[at] ?? null, key, aged);
    return rows;
  }
  const answers = await loadAnswers(request, {
    coordinate: type,
    parentType: type,
    connect,
    freshness,
    keyField: plan.keyField,
    keys,
    mayKeep: (rows) => rows.length <= 1,
    // That there was no such record yesterday is not shown as if it were known today.
    mayBeStale: (rows) => rows.length > 0,
  });
  return keys.map((key) => {
    const answered = answers.get(key);
    const rows = answered?.rows ?? [];
    if (rows.length > 1) return several(key, rows.length);
    const [row = null] = rows;
    if (answered !== undefined) note(row, key, answered);
    return row;
  });
}

async function loadMany(
  request: RequestContext,
  name: string,
  plan: BatchField,
  keys: readonly string[],
): Promise<(readonly Row[] | Error)[]> {
  const { connect, freshness, parentKeyField, returnType } = plan;
  const isGood = (rows: readonly Row[]) => connect.batch.many || rows.length <= 1;
  const answers = await loadAnswers(request, {
    coordinate: name,
    parentType: name.slice(0, name.indexOf('.')),
    connect,
    freshness,
    keyField: parentKeyField,
    keys,
    mayKeep: isGood,
    mayBeStale: isGood,
  });
  return keys.map((key) => {
    const answered = answers.get(key);
    const rows = answered?.rows ?? [];
    const failure = rows.find((row) => row instanceof Error);
    if (failure instanceof Error) return failure;
    if (!connect.batch.many && rows.length > 1)
      return duplicate(request, connect, `${returnType} of ${key}`, rows.length);
    // The list is this request's own: what is known of it is so, too.
    const list = rows.filter((row): row is Row => !(row instanceof Error));
    if (answered !== undefined) request.origins.set(list, originOf(connect.source, key, answered));
    return list;
  });
}

function duplicate(request: RequestContext, connect: BatchedConnect, what: string, rows: number): Error {
  const context = {
    system: request.system.plan.name,
    source: connect.source,
    operation: operationName(connect.call),
  };
  return upstreamError('UPSTREAM_INVALID', `expected one ${what}, got ${rows}`, context, {
    duplicates: rows,
  });
}
