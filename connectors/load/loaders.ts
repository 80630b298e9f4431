// The loaders of one request: one for each entity type and one for each batched field.
import DataLoader from 'dataloader';
import type { EntityPlan, FieldPlan } from '../plan.ts';
import { upstreamError } from '../upstream-error.ts';
import { type BatchedConnect, loadRows } from './batch.ts';
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
 * Many entities by their keys, in as few calls, past the loader that gathers keys: for who has them all at hand. A key that failed has its
 * error; nothing is thrown.
 */
export async function loadEntities(
  request: RequestContext,
  plan: EntityPlan,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Row | null | Error>> {
  const unique = [...new Set(keys)];
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
  const found = new Map<string, Row | null | Error>();
  for (const [place, part] of parts.entries()) {
    for (const [index, key] of part.entries()) found.set(key, loaded[place]?.[index] ?? null);
  }
  return found;
}

/** Gives what was loaded to the request's own loader, which then asks for none of it again. */
export function keepEntities(
  request: RequestContext,
  plan: EntityPlan,
  loaded: ReadonlyMap<string, Row | null | Error>,
): void {
  const loader = entityLoader(request, plan);
  for (const [key, row] of loaded) loader.prime(key, row);
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
    loader = new DataLoader<string, readonly Row[]>((keys) => loadMany(request, plan, keys), {
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
): Promise<(Row | null | Error)[]> {
  const groups = await loadRows(request, plan.connect, plan.keyField, keys);
  return keys.map((key) => {
    const rows = groups.get(key) ?? [];
    return rows.length > 1
      ? duplicate(request, plan.connect, `${plan.type} ${key}`, rows.length)
      : (rows[0] ?? null);
  });
}

async function loadMany(
  request: RequestContext,
  plan: BatchField,
  keys: readonly string[],
): Promise<(readonly Row[] | Error)[]> {
  const groups = await loadRows(request, plan.connect, plan.parentKeyField, keys);
  return keys.map((key) => {
    const rows = groups.get(key) ?? [];
    const failure = rows.find((row) => row instanceof Error);
    if (failure instanceof Error) return failure;
    if (!plan.connect.batch.many && rows.length > 1) {
      return duplicate(request, plan.connect, `${plan.returnType} of ${key}`, rows.length);
    }
    return rows as readonly Row[];
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
