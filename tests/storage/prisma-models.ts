// Reads what Prisma schemas and a migrated database each say of tables, in one form that can be compared.
import type pg from 'pg';

/** `table.column type null|not null`, and `index table (columns) unique|plain`. */
export type TableFacts = readonly string[];

/** What the models of a formatted schema.prisma say: one field a line, as `prisma format` writes it. */
export function factsOfModels(schema: string): TableFacts {
  const models = [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => ({
    name,
    body,
  }));
  const names = new Set(models.map(({ name }) => name));
  return models.flatMap(({ name, body }) => factsOfModel(name, body, names)).sort();
}

function factsOfModel(model: string, body: string, models: ReadonlySet<string>): TableFacts {
  const lines = body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//'));
  const table = mapped(lines.find((line) => line.startsWith('@@map')) ?? '') ?? model;
  const fields = lines.filter((line) => !line.startsWith('@@')).flatMap((line) => decodeField(line, models));
  const columnOf = (field: string) => fields.find(({ name }) => name === field)?.column ?? field;
  return [
    ...fields.map(
      ({ column, type, nullable }) => `${table}.${column} ${type} ${nullable ? 'null' : 'not null'}`,
    ),
    ...fields.filter(({ unique }) => unique).map(({ column }) => `index ${table} (${column}) unique`),
    ...lines.flatMap((line) => decodeIndex(line, table, columnOf)),
  ];
}

interface Field {
  readonly name: string;
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly unique: boolean;
}

function decodeField(line: string, models: ReadonlySet<string>): readonly Field[] {
  const [, name = '', base = '', inner = '', suffix = '', attributes = ''] =
    /^(\w+)\s+(\w+)(?:\("(\w+)"\))?(\[\]|\?)?(.*)$/.exec(line) ?? [];
  if (models.has(base)) return [];
  const native = /@db\.\w+/.exec(attributes)?.[0];
  const type = base === 'Unsupported' ? inner : COLUMN_TYPES[native ?? base];
  if (type === undefined) throw new Error(`no PostgreSQL type is known here for: ${line}`);
  return [
    {
      name,
      column: mapped(attributes) ?? name,
      type: suffix === '[]' ? `_${type}` : type,
      // PostgreSQL arrays that Prisma makes are nullable; Prisma reads null as the empty list.
      nullable: suffix === '?' || suffix === '[]',
      unique: /@(id|unique)\b/.test(attributes),
    },
  ];
}

const COLUMN_TYPES: Readonly<Record<string, string>> = {
  String: 'text',
  Int: 'int4',
  BigInt: 'int8',
  Boolean: 'bool',
  Float: 'float8',
  DateTime: 'timestamp',
  Json: 'jsonb',
  Bytes: 'bytea',
  '@db.Date': 'date',
  '@db.Json': 'json',
  '@db.Uuid': 'uuid',
  '@db.Timestamptz': 'timestamptz',
};

function mapped(attributes: string): string | undefined {
  return /@map\("(\w+)"\)/.exec(attributes)?.[1];
}

/** `@@index([reportedAt(sort: Desc), id])`: the columns in their order; the sort and the kind of index are left out. */
function decodeIndex(line: string, table: string, columnOf: (field: string) => string): readonly string[] {
  const [, kind, list] = /^@@(id|unique|index)\(\[(.*?)\](?:,.*)?\)$/.exec(line) ?? [];
  if (kind === undefined || list === undefined) return [];
  const columns = list
    .replaceAll(/\((?:[^()]|\([^()]*\))*\)/g, '')
    .split(',')
    .map((field) => columnOf(field.trim()));
  return [`index ${table} (${columns.join(', ')}) ${kind === 'index' ? 'plain' : 'unique'}`];
}

const COLUMNS = `SELECT table_name, column_name, udt_name, is_nullable FROM information_schema.columns
  WHERE table_schema = $1 AND table_name <> '_prisma_migrations'`;
const INDEXES = `SELECT t.relname AS table_name, i.indisunique AS is_unique,
    (SELECT string_agg(a.attname, ', ' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number) AS columns
  FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
  WHERE n.nspname = $1 AND t.relname <> '_prisma_migrations'`;

/** What the tables of a PostgreSQL schema are. */
export async function factsOfDatabase(client: pg.Client, schema: string): Promise<TableFacts> {
  const columns = await client.query<
    Record<'table_name' | 'column_name' | 'udt_name' | 'is_nullable', string>
  >(COLUMNS, [schema]);
  const indexes = await client.query<{ table_name: string; is_unique: boolean; columns: string }>(INDEXES, [
    schema,
  ]);
  return [
    ...columns.rows.map(
      (row) =>
        `${row.table_name}.${row.column_name} ${row.udt_name} ${row.is_nullable === 'YES' ? 'null' : 'not null'}`,
    ),
    ...indexes.rows.map(
      (row) => `index ${row.table_name} (${row.columns}) ${row.is_unique ? 'unique' : 'plain'}`,
    ),
  ].sort();
}
