// Drafts the folder of a database from its own catalogue.
import { deadlineSignal } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';
import { type OpenedEngine, openEngine } from '../../sql/open-engine.ts';
import { type Column, readTables, type Table } from '../../sql/tables.ts';
import type { LeftOut, Shape } from '../contract-model.ts';
import type { DraftedFolder, DraftRequest } from '../discover.ts';
import { headText, leftOutText } from '../draft.ts';
import { entryName, isMappable, matchText, relativePath } from '../mapping-text.ts';
import { enumValueName, fieldName, type NamePool, namePool, typeName, typePool } from '../names.ts';
import { commentText, descriptionText, mappingString, stringText } from '../sdl-text.ts';

const READ_MS_MAX = 20_000;
const TABLES_MAX = 100;
const COLUMNS_OF_TABLE_MAX = 200;
const LIST_ROWS_MAX = 100;
const CHILDREN_MAX = 100;
const LABELS_MAX = 60;
/** A name that the compiler takes in `table` and `columns`. */
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;

interface DraftedColumn {
  readonly column: Column;
  readonly field: string;
  readonly shape: Shape;
  readonly labels: readonly (readonly [string, string])[];
  readonly enumName: string | undefined;
}

interface DraftedTable {
  readonly table: Table;
  readonly type: string;
  readonly columns: readonly DraftedColumn[];
  /** The column that is the key, when there is one of one column. */
  readonly key: DraftedColumn | undefined;
  readonly fields: NamePool;
}

/** @throws OperatorError when the database cannot be read, or has none of the tables that are asked for */
export async function draftSql(
  { url, tables: wanted }: { readonly url: string; readonly tables: readonly string[] },
  request: DraftRequest,
): Promise<DraftedFolder> {
  const all = await readCatalogue(url);
  const missing = wanted.find((name) => !all.some((table) => table.name === name));
  if (missing !== undefined) {
    const known = all
      .slice(0, 20)
      .map((table) => table.name)
      .join(', ');
    throw new OperatorError(
      `${withoutPassword(url)}: there is no table '${missing}': it has ${known || 'none'}`,
      { exitCode: 1 },
    );
  }
  const chosen = wanted.length === 0 ? all : all.filter((table) => wanted.includes(table.name));
  const leftOut: LeftOut[] = [];
  if (chosen.length > TABLES_MAX)
    leftOut.push({
      what: `${chosen.length - TABLES_MAX} tables`,
      why: `${TABLES_MAX} are drafted: choose by --table`,
    });
  const types = typePool(request.system, request.hub.types);
  const drafted = chosen.slice(0, TABLES_MAX).flatMap((table) => draftTable(table, types, leftOut) ?? []);
  if (drafted.length === 0)
    throw new OperatorError(`${withoutPassword(url)}: it has no table that can be read`, { exitCode: 1 });
  return foldTogether(url, drafted, leftOut, request);
}

async function readCatalogue(url: string): Promise<readonly Table[]> {
  const opened: OpenedEngine | undefined = openEngine(url, { connectionsMax: 1, timeoutMs: READ_MS_MAX });
  if (opened === undefined)
    throw new OperatorError('--sql: expected a URL of postgres:, mysql:, mariadb: or sqlite:///path', {
      exitCode: 2,
    });
  try {
    return await readTables(opened, deadlineSignal(READ_MS_MAX));
  } catch (thrown) {
    const { code, message } = thrown as { code?: unknown; message: string };
    throw new OperatorError(`${withoutPassword(url)} cannot be read: ${String(code ?? message)}`, {
      cause: thrown,
      exitCode: 1,
    });
  } finally {
    await opened.engine.close();
  }
}

/** A URL that may be shown. */
function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href;
}

function draftTable(table: Table, types: NamePool, leftOut: LeftOut[]): DraftedTable | undefined {
  const drop = (what: string, why: string) => void leftOut.push({ what, why });
  if (!table.name.split('.').every((part) => IDENTIFIER.test(part)))
    return drop(table.name, 'its name has marks in it');
  const type = types.take(typeName(table.name.split('.').at(-1) ?? ''));
  const fields = namePool();
  const columns = table.columns.slice(0, COLUMNS_OF_TABLE_MAX).flatMap((column): readonly DraftedColumn[] => {
    const shape = shapeOf(column);
    const what = `${table.name}.${column.name}`;
    if (!IDENTIFIER.test(column.name)) return drop(what, 'its name has marks in it') ?? [];
    if (shape === undefined) return drop(what, `${column.type} has no like in GraphQL`) ?? [];
    const field = fields.take(fieldName(column.name));
    const values = namePool();
    const isEnum =
      column.labels.length > 0 && column.labels.length <= LABELS_MAX && column.labels.every(isMappable);
    const labels = isEnum
      ? column.labels.map((label) => [label, values.take(enumValueName(label))] as const)
      : [];
    return [
      {
        column,
        field,
        shape,
        labels,
        enumName: isEnum ? types.take(`${type}${typeName(column.name)}`) : undefined,
      },
    ];
  });
  if (table.columns.length > COLUMNS_OF_TABLE_MAX)
    drop(table.name, `only its first ${COLUMNS_OF_TABLE_MAX} columns are drafted`);
  if (columns.length === 0) return drop(table.name, 'it has no column that can be read');
  const [keyName, ...more] = table.primaryKey;
  const key = more.length === 0 ? columns.find(({ column }) => column.name === keyName) : undefined;
  return { table, type, columns, key, fields };
}

/** Undefined for what no scalar holds. Whole numbers beyond 32 bits stay text. */
function shapeOf({ type }: Column): Shape | undefined {
  const scalar = (name: 'String' | 'Int' | 'Float' | 'Boolean' | 'DateTime'): Shape => ({
    kind: 'scalar',
    type: name,
  });
  const plain = type.toLowerCase();
  if (/\[\]|bytea|blob|binary|json|geometry|geography|^point|polygon|vector|^bit/.test(plain))
    return undefined;
  if (/bigint|int8|bigserial/.test(plain)) return scalar('String');
  if (/^(?:small|medium|tiny)?int|^integer|^serial|^year/.test(plain))
    return scalar(/unsigned/.test(plain) && /^int/.test(plain) ? 'Float' : 'Int');
  if (/^bool/.test(plain)) return scalar('Boolean');
  if (/^(?:double|float|real|numeric|decimal|number)/.test(plain)) return scalar('Float');
  if (/^(?:timestamp|datetime)/.test(plain)) return scalar('DateTime');
  return scalar('String');
}

function foldTogether(
  url: string,
  drafted: readonly DraftedTable[],
  leftOut: readonly LeftOut[],
  request: DraftRequest,
): DraftedFolder {
  const setting = `${request.environment}_DSN`;
  const source = {
    name: request.system,
    text:
      `  @source(\n    name: ${stringText(request.system)}\n    title: ${stringText(request.system)}\n` +
      `    sql: { url: "{$env.${setting}}", tables: "contracts/tables.json" }\n  )`,
    head: [
      `Drafted from the catalogue of ${withoutPassword(url).replace(/\?.*$/, '')}. It is yours now: read it, and change what is wrong.`,
      "Lines with 'check:' are guesses.",
      `Put the URL of an account that can only read into ${setting}.`,
    ],
  };
  const queries = namePool(request.hub.fields);
  const fields = drafted.flatMap((one) => queryFields(one, drafted, request, queries));
  const parts = [
    headText({ system: request.system, source, hub: request.hub }),
    `type Query {\n${fields.join('\n')}}\n`,
    ...drafted.map((one) => typeText(one, drafted, request)),
    ...drafted.flatMap(({ columns }) => columns).flatMap(enumText),
    leftOutText(leftOut),
  ];
  const contract = drafted.map(({ table }) => ({
    name: table.name,
    columns: table.columns.map(({ name, type, isNullable }) => ({ name, type, isNullable })),
  }));
  return {
    sdl: parts.filter((part) => part !== '').join('\n'),
    leftOut,
    counts: {
      types: drafted.length,
      entities: drafted.filter(({ key }) => key !== undefined).length,
      queries: fields.length,
      commented: 0,
    },
    contracts: new Map([
      ['contracts/tables.json', { text: `${JSON.stringify({ tables: contract }, null, 2)}\n` }],
    ]),
    environment: [{ name: setting, value: withoutPassword(url) }],
    secrets: [],
  };
}

function queryFields(
  one: DraftedTable,
  all: readonly DraftedTable[],
  request: DraftRequest,
  pool: NamePool,
): readonly string[] {
  const { type, table, columns, key } = one;
  const stem = fieldName(type);
  const free = (name: string) =>
    pool.take(request.hub.fields.includes(name) ? fieldName(`${request.system} ${name}`) : name);
  const single =
    key &&
    `  ${free(stem)}(${key.field}: ID!): ${type} @connect(reference: "${key.field}: $args.${key.field}")\n`;
  const references = referencesOf(one, all).map(({ entry }) => entry);
  const order = table.primaryKey.filter((name) => columns.some(({ column }) => column.name === name));
  const orderBy = order.length === 0 ? '' : `\n        orderBy: ${stringText(order.join(', '))}`;
  const list =
    commentText(
      [`check: the first ${LIST_ROWS_MAX}; add an argument and a where for what people ask`],
      '  ',
    ) +
    `  ${free(`${stem}List`)}: [${type}!]\n    @connect(\n      source: "${request.system}"\n      sql: {\n        table: ${stringText(table.name)}\n` +
    `        columns: ${columnsText(columns)}${orderBy}\n        limit: ${LIST_ROWS_MAX}\n      }\n      select: ${mappingString(selectOf(columns, references), '      ')}\n    )\n`;
  return single === undefined ? [list] : [single, list];
}

function columnsText(columns: readonly DraftedColumn[]): string {
  return stringText(columns.map(({ column }) => column.name).join(', '));
}

function selectOf(columns: readonly DraftedColumn[], extra: readonly string[] = []): string {
  return [...extra, ...columns.map(entryOf)].join('\n');
}

function entryOf({ column, field, shape, labels }: DraftedColumn): string {
  const path = relativePath([column.name]);
  const suffix =
    labels.length > 0
      ? matchText(labels)
      : shape.kind === 'scalar' && shape.type === 'DateTime'
        ? '->dateTime'
        : '';
  return suffix === '' && path === field ? field : `${entryName(field)}: ${path}${suffix}`;
}

function typeText(one: DraftedTable, all: readonly DraftedTable[], request: DraftRequest): string {
  const { table, type, columns, key } = one;
  const references = referencesOf(one, all);
  for (const { name } of references) one.fields.take(name);
  const select = selectOf(
    columns,
    references.map(({ entry }) => entry),
  );
  const loader =
    key === undefined
      ? ''
      : `\n  @key(fields: "${key.field}")\n  @connect(\n    source: "${request.system}"\n    sql: {\n      table: ${stringText(table.name)}\n` +
        `      columns: ${columnsText(columns)}\n      where: ${stringText(`${entryName(key.column.name)}: $batch.${key.field}`)}\n    }\n` +
        `    batch: { how: SQL_IN, max: 500, match: "${key.field}" }\n    select: ${mappingString(select, '    ')}\n  )\n`;
  const fields = columns.map((drafted) => fieldText(drafted, key === drafted));
  const joined =
    key === undefined ? [] : [...references.map(({ field }) => field), ...childrenOf(one, all, request)];
  const head = descriptionText(table.comment ?? foreign(table.name), '');
  return `${head}type ${type}${loader === '' ? ' ' : loader}{\n${[...fields, ...joined].join('')}}\n`;
}

function fieldText({ column, field, shape, enumName }: DraftedColumn, isKey: boolean): string {
  const type = isKey ? 'ID!' : (enumName ?? (shape.kind === 'scalar' ? shape.type : 'String'));
  return `${descriptionText(column.comment ?? foreign(column.name), '  ')}  ${field}: ${type}\n`;
}

function foreign(name: string): string | undefined {
  return /[^\x20-\x7e]/.test(name) ? name : undefined;
}

/** Columns that are the key of another table: the other entity, by its key alone. */
function referencesOf({ table, columns, key }: DraftedTable, all: readonly DraftedTable[]) {
  if (key === undefined) return [];
  const fields = namePool(columns.map(({ field }) => field));
  return table.foreignKeys.flatMap((foreignKey) => {
    const target = all.find((other) => other.table.name === foreignKey.toTable);
    const own = columns.find(({ column }) => column.name === foreignKey.column);
    if (target?.key === undefined || target.key.column.name !== foreignKey.toColumn || own === undefined)
      return [];
    const stem = own.field.replace(/(?:Id|No|Code|Bh)$/, '');
    const name = fields.take(stem === own.field ? fieldName(target.type) : stem);
    return [
      {
        name,
        entry: `${name}: { ${target.key.field}: ${relativePath([own.column.name])} }`,
        field: `  ${name}: ${target.type}\n`,
      },
    ];
  });
}

/** Tables that have this one's key in a column: their rows, for many parents in one call. */
function childrenOf(
  { table, key, fields }: DraftedTable,
  all: readonly DraftedTable[],
  request: DraftRequest,
): readonly string[] {
  if (key === undefined) return [];
  return all.flatMap((child) =>
    child.table.foreignKeys
      .filter(({ toTable, toColumn }) => toTable === table.name && toColumn === key.column.name)
      .filter(({ column }) => child.columns.some((one) => one.column.name === column))
      .map(({ column }) => {
        const name = fields.take(`${fieldName(child.type)}List`);
        const match = namePool(child.columns.map(({ field }) => field)).take('parentKey');
        const references = referencesOf(child, all);
        const orderBy =
          child.table.primaryKey.length === 0
            ? ''
            : `\n        orderBy: ${stringText(child.table.primaryKey.join(', '))}`;
        const extra = [`${match}: ${relativePath([column])}`, ...references.map(({ entry }) => entry)];
        return (
          commentText([`check: the first ${CHILDREN_MAX} of each`], '  ') +
          `  ${name}: [${child.type}!]\n    @connect(\n      source: "${request.system}"\n      sql: {\n        table: ${stringText(child.table.name)}\n` +
          `        columns: ${columnsText(child.columns)}\n        where: ${stringText(`${entryName(column)}: $batch.${key.field}`)}${orderBy}\n        limitPerKey: ${CHILDREN_MAX}\n      }\n` +
          `      batch: { how: SQL_IN, max: 100, match: "${match}", many: true }\n      select: ${mappingString(selectOf(child.columns, extra), '      ')}\n    )\n`
        );
      }),
  );
}

function enumText({ labels, enumName }: DraftedColumn): readonly string[] {
  if (enumName === undefined) return [];
  const values = labels.map(
    ([old, ours]) => `${descriptionText(old.toUpperCase() === ours ? undefined : old, '  ')}  ${ours}\n`,
  );
  return [`enum ${enumName} {\n${values.join('')}}\n`];
}
