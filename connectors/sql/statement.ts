// Compiles the SQL of a call for one dialect: identifiers checked, values always bound.
import { invariant, OperatorError } from '@weft/core/errors';
import type { MappingScope } from '@weft/schema/mapping/compile';
import knex, { type Knex } from 'knex';
import type { PollPlan, SqlCall } from '../plan.ts';

export type Dialect = 'sqlite' | 'mysql' | 'postgres';

export interface Statement {
  readonly sql: string;
  readonly bindings: readonly unknown[];
}

/** Rows of one statement at the most: what goes beyond is an answer that cannot be used. */
export const ROWS_MAX = 10_000;

const KNEX_CLIENT: Readonly<Record<Dialect, string>> = {
  sqlite: 'better-sqlite3',
  mysql: 'mysql2',
  postgres: 'pg',
};
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;
const RANK = 'weft_rank';

/** A statement builder without a connection: knex is used as a compiler only. */
export function openBuilder(dialect: Dialect): Knex {
  return knex({ client: KNEX_CLIENT[dialect], useNullAsDefault: true });
}

/**
 * The statement of one call, or undefined when a list of keys is empty and nothing can be found.
 * @throws OperatorError for a name that is not an identifier
 */
export function compileCall(builder: Knex, call: SqlCall, scope: MappingScope): Statement | undefined {
  const where = Object.entries(asObject(call.where?.evaluate(scope)));
  if (where.some(([, value]) => Array.isArray(value) && value.length === 0)) return undefined;
  const columns = call.columns.map(identifier);
  let query = builder(identifier(call.table)).select(columns);
  for (const [column, value] of where) query = restrict(query, identifier(column), value);
  const order = call.orderBy.map(({ column, descending }) => ({
    column: identifier(column),
    order: descending ? 'desc' : 'asc',
  }));
  if (call.limitPerKey !== undefined) {
    const keyColumn = where.find(([, value]) => Array.isArray(value))?.[0];
    invariant(keyColumn !== undefined, 'limitPerKey stands on a batch, whose where has a list of keys');
    query = keepPerKey(builder, query, { columns, keyColumn, order, rowsMax: call.limitPerKey });
  } else if (order.length > 0) {
    query = query.orderBy(order);
  }
  return native(query.limit(call.limit ?? ROWS_MAX + 1));
}

/** A place in the order of a poll's two cursor columns; without a tie, the first row of that time and all after it. */
export interface CursorPlace {
  readonly time: string;
  readonly tie: string | undefined;
}

/** Rows after a place, in the order of the cursor; all that have a time when there is none. */
export function compileChanges(builder: Knex, poll: PollPlan, after: CursorPlace | undefined): Statement {
  const [timeColumn, tieColumn] = poll.cursor.map(identifier) as [string, string];
  const query = builder(identifier(poll.table)).select(poll.columns.map(identifier));
  if (after === undefined) query.whereNotNull(timeColumn);
  else if (after.tie === undefined) query.where(timeColumn, '>=', after.time);
  else {
    const { time, tie } = after;
    query.where((either) =>
      either
        .where(timeColumn, '>', time)
        .orWhere((same) => same.where(timeColumn, time).andWhere(tieColumn, '>', tie)),
    );
  }
  return native(query.orderBy([timeColumn, tieColumn]).limit(poll.rowsMax));
}

function restrict(query: Knex.QueryBuilder, column: string, value: unknown): Knex.QueryBuilder {
  if (Array.isArray(value)) return query.whereIn(column, value as readonly Knex.Value[]);
  return value === null || value === undefined
    ? query.whereNull(column)
    : query.where(column, value as Knex.Value);
}

interface PerKey {
  readonly columns: readonly string[];
  readonly keyColumn: string;
  readonly order: { column: string; order: string }[];
  readonly rowsMax: number;
}

function keepPerKey(builder: Knex, query: Knex.QueryBuilder, keep: PerKey): Knex.QueryBuilder {
  const ranked = query.rowNumber(RANK, (over) => {
    over.partitionBy(identifier(keep.keyColumn));
    over.orderBy(keep.order);
  });
  return builder
    .select([...keep.columns])
    .from(ranked.as('weft_ranked'))
    .where(RANK, '<=', keep.rowsMax)
    .orderBy([{ column: identifier(keep.keyColumn) }, { column: RANK }]);
}

function native(query: Knex.QueryBuilder): Statement {
  const { sql, bindings } = query.toSQL().toNative();
  return { sql, bindings };
}

function identifier(name: string): string {
  if (IDENTIFIER.test(name)) return name;
  throw new OperatorError(`expected a table or column name of letters, digits and _, got "${name}"`);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
