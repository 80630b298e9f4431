// Reads what a database says of its tables: columns, keys, comments. It reads only the catalogue.
import type { SqlEngine, SqlRow } from './engine.ts';
import type { OpenedEngine } from './open-engine.ts';

export interface Table {
  /** `schema.name`, without the schema where it is the one that a name alone means. */
  readonly name: string;
  readonly comment: string | undefined;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  /** Those of one column. */
  readonly foreignKeys: readonly ForeignKey[];
}

export interface Column {
  readonly name: string;
  /** As the database writes it: `character varying(20)`. */
  readonly type: string;
  readonly isNullable: boolean;
  readonly comment: string | undefined;
  /** Of an enum. */
  readonly labels: readonly string[];
}

export interface ForeignKey {
  readonly column: string;
  readonly toTable: string;
  readonly toColumn: string;
}

/** Columns of all tables together, at the most. */
export const COLUMNS_MAX = 20_000;

/** @throws whatever the driver throws */
export async function readTables(
  { dialect, engine }: OpenedEngine,
  signal: AbortSignal,
): Promise<readonly Table[]> {
  const query = (sql: string) => engine.query(sql, [], signal);
  switch (dialect) {
    case 'postgres':
      return assemble(await query(POSTGRES_COLUMNS), await query(POSTGRES_KEYS));
    case 'mysql':
      return assemble(await query(MYSQL_COLUMNS), await query(MYSQL_KEYS));
    case 'sqlite':
      return readSqliteTables(engine, signal);
    default:
      return dialect satisfies never;
  }
}

const SEPARATOR = '\u001f';

// Partitions are left out: their table stands for them.
const POSTGRES_COLUMNS = `
select case when n.nspname = current_schema() then c.relname else n.nspname || '.' || c.relname end as table_name,
  obj_description(c.oid, 'pg_class') as table_comment, a.attname as column_name,
  format_type(a.atttypid, a.atttypmod) as column_type, not a.attnotnull as is_nullable,
  col_description(c.oid, a.attnum) as column_comment,
  (select string_agg(e.enumlabel, chr(31) order by e.enumsortorder) from pg_enum e where e.enumtypid = a.atttypid) as labels
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and a.attnum > 0 and not a.attisdropped
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and has_table_privilege(c.oid, 'SELECT')
order by 1, a.attnum limit ${COLUMNS_MAX}`;

const POSTGRES_KEYS = `
select case when n.nspname = current_schema() then c.relname else n.nspname || '.' || c.relname end as table_name,
  k.conname as key_name, k.contype::text as kind, a.attname as column_name, u.at as at,
  case when tn.nspname = current_schema() then t.relname else tn.nspname || '.' || t.relname end as to_table,
  ta.attname as to_column
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  cross join lateral unnest(k.conkey) with ordinality u(attnum, at)
  join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum
  left join pg_class t on t.oid = k.confrelid left join pg_namespace tn on tn.oid = t.relnamespace
  left join pg_attribute ta on ta.attrelid = t.oid and ta.attnum = k.confkey[u.at]
where k.contype in ('p', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by 1, 2, u.at limit ${COLUMNS_MAX}`;

const MYSQL_COLUMNS = `
select c.table_name as table_name, t.table_comment as table_comment, c.column_name as column_name,
  c.column_type as column_type, c.is_nullable = 'YES' as is_nullable, c.column_comment as column_comment, null as labels
from information_schema.columns c
  join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
where c.table_schema = database() order by c.table_name, c.ordinal_position limit ${COLUMNS_MAX}`;

const MYSQL_KEYS = `
select table_name as table_name, constraint_name as key_name,
  case when constraint_name = 'PRIMARY' then 'p' else 'f' end as kind, column_name as column_name,
  ordinal_position as at, referenced_table_name as to_table, referenced_column_name as to_column
from information_schema.key_column_usage
where table_schema = database() and (constraint_name = 'PRIMARY' or referenced_table_name is not null)
order by table_name, constraint_name, ordinal_position limit ${COLUMNS_MAX}`;

async function readSqliteTables(engine: SqlEngine, signal: AbortSignal): Promise<readonly Table[]> {
  const columns = await engine.query(
    `select m.name as table_name, null as table_comment, c.name as column_name, c.type as column_type,
       c."notnull" = 0 and c.pk = 0 as is_nullable, null as column_comment, null as labels, c.pk as pk
     from sqlite_schema m join pragma_table_info(m.name) c
     where m.type in ('table', 'view') and m.name not like 'sqlite\\_%' escape '\\' order by m.name, c.cid limit ${COLUMNS_MAX}`,
    [],
    signal,
  );
  const foreign = await engine.query(
    `select m.name as table_name, 'fk' || f.id as key_name, 'f' as kind, f."from" as column_name, f.seq + 1 as at,
       f."table" as to_table, f."to" as to_column
     from sqlite_schema m join pragma_foreign_key_list(m.name) f where m.type = 'table' order by 1, f.id, f.seq limit ${COLUMNS_MAX}`,
    [],
    signal,
  );
  const primary = columns
    .filter((row) => Number(row.pk) > 0)
    .map((row) => ({ ...row, key_name: 'primary', kind: 'p', at: row.pk }))
    .sort((a, b) => Number(a.at) - Number(b.at));
  return assemble(columns, [...primary, ...foreign]);
}

function assemble(columns: readonly SqlRow[], keys: readonly SqlRow[]): readonly Table[] {
  const tables = Map.groupBy(columns, (row) => String(row.table_name));
  const keysOfTable = Map.groupBy(keys, (row) => String(row.table_name));
  return [...tables].map(([name, rows]) => {
    const own = [...Map.groupBy(keysOfTable.get(name) ?? [], (row) => String(row.key_name)).values()];
    return {
      name,
      comment: text(rows[0]?.table_comment),
      columns: rows.map(toColumn),
      primaryKey: own.find(([row]) => row?.kind === 'p')?.map((row) => String(row.column_name)) ?? [],
      foreignKeys: own.flatMap((key) => {
        const [row] = key;
        if (row?.kind !== 'f' || key.length > 1 || row.to_column === null || row.to_table === null) return [];
        return [
          { column: String(row.column_name), toTable: String(row.to_table), toColumn: String(row.to_column) },
        ];
      }),
    };
  });
}

function toColumn(row: SqlRow): Column {
  const type = String(row.column_type);
  return {
    name: String(row.column_name),
    type,
    isNullable: row.is_nullable === true || Number(row.is_nullable) === 1,
    comment: text(row.column_comment),
    labels: typeof row.labels === 'string' ? row.labels.split(SEPARATOR) : mysqlLabels(type),
  };
}

/** `enum('a','b')`, in which two quotes are one. */
function mysqlLabels(type: string): readonly string[] {
  const list = /^enum\((.*)\)$/is.exec(type)?.[1];
  return list === undefined
    ? []
    : [...list.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
