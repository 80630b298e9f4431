import { compileMapping } from '@weft/schema/mapping/compile';
import { describe, expect, it } from 'vitest';
import type { PollPlan, SqlCall } from '../plan.ts';
import { compileCall, compileChanges, type Dialect, openBuilder, ROWS_MAX } from './statement.ts';

const call: SqlCall = {
  protocol: 'sql',
  table: 't_patrol',
  columns: ['id', 'grid'],
  where: compileMapping('grid: $batch.code'),
  orderBy: [],
  limit: undefined,
  limitPerKey: undefined,
};
const keys = { batch: { code: ["1' OR '1'='1", '2'] } };

describe('compileCall', () => {
  it.each<[Dialect, string]>([
    ['sqlite', 'select `id`, `grid` from `t_patrol` where `grid` in (?, ?) limit ?'],
    ['mysql', 'select `id`, `grid` from `t_patrol` where `grid` in (?, ?) limit ?'],
    ['postgres', 'select "id", "grid" from "t_patrol" where "grid" in ($1, $2) limit $3'],
  ])('binds every value on %s', (dialect, sql) => {
    expect(compileCall(openBuilder(dialect), call, keys)).toEqual({
      sql,
      bindings: ["1' OR '1'='1", '2', ROWS_MAX + 1],
    });
  });

  it('keeps the first rows of each key by a window function', () => {
    const limited = { ...call, orderBy: [{ column: 'at', descending: true }], limitPerKey: 10 };
    const statement = compileCall(openBuilder('postgres'), limited, keys);
    expect(statement?.sql).toContain('row_number() over (partition by "grid" order by "at" desc)');
    expect(statement?.bindings).toContain(10);
  });

  it('needs no statement when there is no key', () => {
    expect(compileCall(openBuilder('sqlite'), call, { batch: { code: [] } })).toBeUndefined();
  });

  it('reads null as IS NULL and a single value as equality', () => {
    const where = compileMapping('grid: $args.grid owner: $args.owner');
    const statement = compileCall(openBuilder('sqlite'), { ...call, where }, { args: { grid: 'g' } });
    expect(statement?.sql).toContain('where `grid` = ? and `owner` is null');
  });

  it('refuses a name that is not an identifier', () => {
    const bad = { ...call, table: 't; drop table x' };
    expect(() => compileCall(openBuilder('sqlite'), bad, keys)).toThrow(/letters, digits and _/);
    expect(() => compileCall(openBuilder('mysql'), { ...call, columns: ['a`b'] }, keys)).toThrow();
  });
});

describe('compileChanges', () => {
  const poll: PollPlan = {
    kind: 'poll',
    table: 't',
    columns: ['id', 'at'],
    cursor: ['at', 'id'],
    everyMs: 1,
    overlapMs: 0,
    rowsMax: 500,
  };

  it('goes on after the last row, by time and then by the tie-breaker', () => {
    const place = { time: '2026-11-22 08:00:00.000', tie: '7' };
    expect(compileChanges(openBuilder('postgres'), poll, place)).toEqual({
      sql: 'select "id", "at" from "t" where ("at" > $1 or ("at" = $2 and "id" > $3)) order by "at" asc, "id" asc limit $4',
      bindings: [place.time, place.time, '7', 500],
    });
  });

  it('begins with the first row that has a time', () => {
    expect(compileChanges(openBuilder('sqlite'), poll, undefined).sql).toContain('where `at` is not null');
  });
});
