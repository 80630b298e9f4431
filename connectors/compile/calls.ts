// Decodes the call of a `@connect`: HTTP, SOAP or SQL.
import type { CallPlan, HttpCall, SqlCall } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import { exactlyOne } from './choices.ts';
import type { Arguments } from './directive-arguments.ts';
import { type PlacedMapping, type Readable, readMapping, readTemplate } from './mapping-arguments.ts';
import { readNumber } from './number-argument.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const COLUMN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A call, and every mapping in it. */
export interface ReadCall {
  readonly call: CallPlan;
  readonly mappings: readonly PlacedMapping[];
}

/** @param kind the argument of `@connect` that holds the call, which is there */
export function readCall(
  kind: 'http' | 'soap' | 'sql',
  connect: Arguments,
  readable: Readable,
  issues: IssueList,
): ReadCall | undefined {
  const given = connect.object(kind);
  if (given === undefined) return undefined;
  switch (kind) {
    case 'http':
      return readHttpCall(given, readable, issues);
    case 'soap':
      return readSoapCall(given, readable, issues);
    case 'sql':
      return readSqlCall(given, readable, issues);
    default:
      return kind satisfies never;
  }
}

function readHttpCall(given: Arguments, readable: Readable, issues: IssueList): ReadCall | undefined {
  const method: HttpCall['method'] | undefined = exactlyOne(given, METHODS, 'http', issues);
  if (method === undefined) return undefined;
  const path = readTemplate(given, method, readable, issues, { escape: encodeURIComponent });
  const query = readObject(given, 'query', readable, issues);
  const body = readMapping(given, 'body', readable, issues);
  if (path === undefined) return undefined;
  if (!path.mapping.text.startsWith('/')) {
    issues.add(
      'BAD_VALUE',
      path.node,
      `path is '${path.mapping.text}'`,
      'begin it with "/": it is put behind the base URL',
    );
  }
  return {
    call: { protocol: 'rest', method, path: path.mapping, query: query?.mapping, body: body?.mapping },
    mappings: [path, query, body].filter((mapping) => mapping !== undefined),
  };
}

function readSoapCall(given: Arguments, readable: Readable, issues: IssueList): ReadCall | undefined {
  const input = readObject(given, 'input', readable, issues);
  if (input === undefined) return undefined;
  const operation = given.requiredText('operation');
  const attach = readAttach(given, issues);
  return { call: { protocol: 'soap', operation, input: input.mapping, attach }, mappings: [input] };
}

const XML_NAME = /^[\p{L}_][\p{L}\p{N}_.-]*$/u;

/** Names of elements, without prefixes, with commas between. */
function readAttach(given: Arguments, issues: IssueList): readonly string[] {
  const names = (given.text('attach') ?? '').split(',').flatMap((name) => name.trim() || []);
  const wrong = names.find((name) => !XML_NAME.test(name));
  if (wrong !== undefined) {
    const mend = 'expected names of elements, without prefix, with commas between';
    issues.add('BAD_VALUE', given.nodeOf('attach'), `'${wrong}' is no name of an element`, mend);
  }
  return names;
}

function readSqlCall(given: Arguments, readable: Readable, issues: IssueList): ReadCall | undefined {
  const table = readTable(given, issues);
  const columns = readColumns(given, 'columns', issues);
  const where = readObject(given, 'where', readable, issues);
  const orderBy = readOrderBy(given, issues);
  const limit = readNumber(given, 'limit', [1, 10_000], issues);
  const limitPerKey = readNumber(given, 'limitPerKey', [1, 1_000], issues);
  checkColumnNames(where, issues);
  const call: SqlCall = {
    protocol: 'sql',
    table,
    columns,
    where: where?.mapping,
    orderBy,
    limit,
    limitPerKey,
  };
  return { call, mappings: where === undefined ? [] : [where] };
}

/** A mapping that must yield an object. */
function readObject(
  given: Arguments,
  name: string,
  readable: Readable,
  issues: IssueList,
): PlacedMapping | undefined {
  const mapping = readMapping(given, name, readable, issues);
  if (mapping === undefined || mapping.mapping.shape.kind === 'object') return mapping;
  issues.add('SHAPE_MISMATCH', mapping.node, `'${name}' yields a value`, 'write an object: `name: value`');
  return undefined;
}

function checkColumnNames(where: PlacedMapping | undefined, issues: IssueList): void {
  if (where?.mapping.shape.kind !== 'object') return;
  for (const [column, { offset }] of where.mapping.shape.fields) {
    if (COLUMN.test(column)) continue;
    issues.addInText(
      'BAD_VALUE',
      where.node,
      offset,
      `'${column}' is no name of a column`,
      'expected letters, digits and _',
    );
  }
}

/** A table's name, with its schema before a dot where it needs one. */
export function readTable(given: Arguments, issues: IssueList): string {
  const table = given.requiredText('table');
  if (!table.split('.').every((part) => COLUMN.test(part)) || table.split('.').length > 2) {
    issues.add('BAD_VALUE', given.nodeOf('table'), `table is '${table}'`, 'expected a name, or schema.name');
  }
  return table;
}

/** Names of columns with commas between. */
export function readColumns(given: Arguments, name: string, issues: IssueList): readonly string[] {
  const columns = given
    .requiredText(name)
    .split(',')
    .map((column) => column.trim());
  const wrong = columns.find((column) => !COLUMN.test(column));
  if (wrong !== undefined) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf(name),
      `'${wrong}' is no name of a column`,
      'expected names with commas between',
    );
  }
  return columns;
}

function readOrderBy(given: Arguments, issues: IssueList): SqlCall['orderBy'] {
  const text = given.text('orderBy');
  if (text === undefined) return [];
  return text.split(',').flatMap((part) => {
    const found = /^\s*([A-Za-z_][A-Za-z0-9_]*)(?:\s+(asc|desc))?\s*$/i.exec(part);
    if (found?.[1] !== undefined)
      return [{ column: found[1], descending: found[2]?.toLowerCase() === 'desc' }];
    issues.add(
      'BAD_VALUE',
      given.nodeOf('orderBy'),
      `orderBy has '${part.trim()}'`,
      'expected "column" or "column desc"',
    );
    return [];
  });
}
