import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'graphql';
import { afterAll, describe, expect, test } from 'vitest';
import { BUILD_CODES, type BuildIssue } from './build-issues.ts';
import { checkFolder } from './check.ts';
import { BuildErrors, compileSystem } from './compile.ts';

const SUBGRAPHS = join(dirname(fileURLToPath(import.meta.url)), '../../subgraphs');
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A folder with the given files; a name may hold a folder. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-compile-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A small system that compiles without a word; each line is the one that a test replaces. */
const GOOD = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])
  @source(name: "db", title: "登记系统", sql: { url: "{$env.DB}" })
  @source(name: "web", rest: { baseUrl: "{$env.WEB}", auth: { bearer: "web-token" } })
  @source(name: "hook", webhook: { path: "/in/x", verify: "x-hook", dedupeHeader: "X-Id" })
type Query {
  orders(area: ID!): [Order!] @connect(source: "web", http: { GET: "/orders", query: "a: $args.area" }, select: "$.rows { id: no }")
  order(id: ID!): Order @connect(reference: "id: $args.id")
}
type Order @key(fields: "id")
  @connect(source: "db", sql: { table: "t", columns: "no, st, dt", where: "no: $batch.id" }, batch: { how: SQL_IN, match: "id" }, select: """
    id: no
    state: st->match(['1','OPEN'],['2','CLOSED'])
    detail: { text: dt }
  """)
  @ingest(source: "hook", key: "id", order: "version", select: "id: no version: seq area: qy", report: "channel: 'APP' title: bt reportedAt: sj->dateTime externalNumbers: { order: no }")
{
  id: ID!
  state: OrderState
  detail: Detail
  notes: [Note!] @connect(source: "db", sql: { table: "n", columns: "no, tx", where: "no: $batch.id" }, batch: { how: SQL_IN, match: "order", many: true }, select: "order: no text: tx")
}
type Detail { text: String }
type Note { text: String }
enum OrderState { OPEN CLOSED }
type Subscription {
  orderChanged(area: ID, after: Cursor): OrderChanged! @changes(of: "Order", where: "$.area->under($args.area)")
}
type OrderChanged implements Resumable {
  cursor: Cursor!
  gap: Gap
  order: Order
}
type Incident @key(fields: "id") {
  id: ID!
  number: ID @external
  order: Order @requires(fields: "number") @connect(reference: "id: $this.number")
}
`;

/** The line, from 1, on which `part` stands for the first time. */
function lineOf(sdl: string, part: string): number {
  return sdl.slice(0, sdl.indexOf(part)).split('\n').length;
}

function issuesOf(sdl: string): readonly BuildIssue[] {
  return checkFolder(folderOf({ 'a.graphql': sdl })).issues;
}

describe('compileSystem', () => {
  test('the small system compiles without a word', () => {
    expect(checkFolder(folderOf({ 'a.graphql': GOOD }))).toEqual({ ok: true, issues: [] });
  });

  test.each(['hotline', 'grid', 'police'])('subgraphs/%s compiles without error', (system) => {
    const { plan, warnings } = compileSystem(join(SUBGRAPHS, system));
    expect(warnings).toEqual([]);
    expect(plan.name).toBe(system);
    expect(plan.storedSdl).not.toMatch(/@(source|connect|ingest|changes|freshness)\b|specs\.weft\.dev\/hub/);
    expect(plan.servedSdl).not.toMatch(/eventStream|Subscription|Resumable|Cursor|Gap/);
    parse(plan.storedSdl);
    parse(plan.servedSdl);
  });

  test('a folder of several files is one system, and a mistake names its file', () => {
    const [head = '', tail = ''] = GOOD.split('type Detail');
    expect(checkFolder(folderOf({ 'a.graphql': head, 'b.graphql': `type Detail${tail}` })).ok).toBe(true);
    const { issues } = checkFolder(
      folderOf({ 'a.graphql': head, 'b.graphql': `type Detail${tail.replace('ID @external', 'Nope')}` }),
    );
    expect(issues.map(({ file, code }) => [basename(file), code])).toContainEqual([
      'b.graphql',
      'UNKNOWN_TYPE',
    ]);
  });

  test('throws one error with a line for each mistake, and how to mend it', () => {
    const folder = folderOf({
      'a.graphql': GOOD.replace('"hook", key', '"nowhere", key').replace('path: "/in/x"', 'path: "/out"'),
    });
    const file = join(folder, 'a.graphql');
    expect(() => compileSystem(folder)).toThrow(BuildErrors);
    expect(() => compileSystem(folder)).toThrow(
      [
        `${file}:5:42 BAD_VALUE path is '/out' — expected letters, digits, - and _ below "/in/"`,
        `${file}:16:19 UNKNOWN_SOURCE there is no source 'nowhere' — the folder has db, web, hook`,
      ].join('\n'),
    );
  });
});

describe('the plan', () => {
  const { plan } = compileSystem(folderOf({ 'a.graphql': GOOD }));

  test('has sources with their guards, by default a time-out that fits the deadline', () => {
    expect(plan.title).toBe('登记系统');
    expect(plan.sources.get('web')).toMatchObject({
      protocol: 'rest',
      auth: { kind: 'bearer', secret: 'web-token' },
      encoding: 'utf-8',
      timezone: 'Asia/Shanghai',
      readOnly: true,
      guard: {
        timeoutMs: 2_000,
        concurrency: 4,
        retries: 1,
        breaker: { failureRatio: 0.5, minCalls: 10, openForMs: 30_000 },
        responseBytesMax: 5_000_000,
      },
    });
    expect(plan.sources.get('hook')).toMatchObject({
      protocol: 'webhook',
      path: '/in/x',
      verifySecret: 'x-hook',
      dedupeHeader: 'X-Id',
    });
    const db = plan.sources.get('db');
    expect(db?.protocol === 'sql' && db.url.evaluate({ env: { DB: 'sqlite:///x' } })).toBe('sqlite:///x');
  });

  test('has the loader of an entity', () => {
    const entity = plan.entities.get('Order');
    expect(entity).toMatchObject({
      keyField: 'id',
      connect: { source: 'db', batch: { how: 'SQL_IN', keysMax: 50, match: 'id', many: false } },
    });
    expect(entity?.connect.select.evaluate({ $: { no: 7, st: 2 } })).toEqual({
      id: 7,
      state: 'CLOSED',
      detail: null,
    });
  });

  test('has fields as calls, batches and references; a reference yields the bare key', () => {
    expect(plan.fields.get('Query.orders')).toMatchObject({ kind: 'call', list: true, returnType: 'Order' });
    expect(plan.fields.get('Order.notes')).toMatchObject({
      kind: 'batch',
      parentKeyField: 'id',
      returnType: 'Note',
    });
    const reference = plan.fields.get('Incident.order');
    expect(reference?.kind === 'reference' && reference.key.evaluate({ this: { number: 'A1' } })).toBe('A1');
  });

  test('has what is ingested, and the field of its events that holds the key', () => {
    expect(plan.ingests).toHaveLength(1);
    expect(plan.ingests[0]).toMatchObject({
      type: 'Order',
      topic: 'Order',
      entityField: 'order',
      keyField: 'id',
      orderField: 'version',
      from: { kind: 'webhook' },
    });
  });

  test('percent-encodes the placeholders of a path', () => {
    const sdl = GOOD.replace('GET: "/orders"', 'GET: "/orders/{$args.area}"');
    const field = compileSystem(folderOf({ 'a.graphql': sdl })).plan.fields.get('Query.orders');
    const call = field?.kind === 'call' ? field.connect.call : undefined;
    expect(call?.protocol === 'rest' && call.path.evaluate({ args: { area: '城/区' } })).toBe(
      `/orders/${encodeURIComponent('城/区')}`,
    );
  });

  test('stores @changes as @eventStream over the event data, and the common definitions', () => {
    expect(plan.storedSdl).toContain(
      '@eventStream(topic: "Order", message: "{ order { id } }", where: "$.area->under($args.area)")',
    );
    expect(plan.storedSdl).toContain(
      '@link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])',
    );
    expect(plan.storedSdl).toMatch(
      /interface Resumable[\s\S]*scalar Cursor|scalar Cursor[\s\S]*interface Resumable/,
    );
  });

  test('stores where the current state comes from, and that changes may be gathered', () => {
    const sdl = GOOD.replace(
      'after: Cursor): OrderChanged! @changes(of: "Order",',
      'from: StreamStart = LIVE, intervalMs: Int, after: Cursor): OrderChanged! @changes(of: "Order", snapshot: "orders(area: $args.area)", coalesce: true,',
    );
    const { storedSdl } = compileSystem(folderOf({ 'a.graphql': sdl })).plan;
    expect(storedSdl).toContain('snapshot: "orders(area: $args.area)", coalesce: true)');
    expect(storedSdl).toContain('enum StreamStart');
  });
});

/** Code, what is replaced in GOOD, by what, and a part of the line on which the issue is told. */
const ORDER_KEY = 'type Order @key(fields: "id")';

const MISTAKES: readonly (readonly [code: string, from: string, to: string, at?: string])[] = [
  [
    'UNKNOWN_SOURCE',
    'orders(area: ID!): [Order!] @connect(source: "web"',
    'orders(area: ID!): [Order!] @connect(source: "wob"',
  ],
  ['DUPLICATE_SOURCE', 'name: "web"', 'name: "db"', 'name: "db", rest'],
  ['NO_PROTOCOL', 'sql: { url: "{$env.DB}" }', 'encoding: "utf-8"'],
  ['NO_PROTOCOL', 'http: { GET: "/orders", query: "a: $args.area" }', 'http: { query: "a: $args.area" }'],
  ['TWO_PROTOCOLS', 'sql: { url: "{$env.DB}" }', 'sql: { url: "{$env.DB}" }, rest: { baseUrl: "x" }'],
  [
    'TWO_PROTOCOLS',
    '@connect(reference: "id: $args.id")',
    '@connect(source: "db", reference: "id: $args.id")',
  ],
  ['PROTOCOL_MISMATCH', '[Order!] @connect(source: "web"', '[Order!] @connect(source: "db"'],
  ['PROTOCOL_MISMATCH', '@ingest(source: "hook"', '@ingest(source: "web"'],
  ['PROTOCOL_MISMATCH', 'batch: { how: SQL_IN, match: "id" }', 'batch: { how: SOAP_ARRAY, match: "id" }'],
  ['UNKNOWN_ARGUMENT', 'name: "db",', 'name: "db", stream: { url: "x" },'],
  ['UNKNOWN_ARGUMENT', 'how: SQL_IN, match: "id"', 'how: SQL_IN, size: 3, match: "id"'],
  [
    'MISSING_ARGUMENT',
    '@ingest(source: "hook", key: "id", order: "version",',
    '@ingest(source: "hook", key: "id",',
    '@ingest',
  ],
  ['MISSING_ARGUMENT', ', select: "$.rows { id: no }"', ''],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { timeout: "2 seconds" }'],
  ['BAD_VALUE', 'title: "登记系统"', 'timezone: "Asia/Atlantis"'],
  ['BAD_VALUE', 'title: "登记系统"', 'encoding: "ebcdic-1"'],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { concurrency: 0 }'],
  ['BAD_VALUE', 'columns: "no, st, dt"', 'columns: "no, count(*)"'],
  ['BAD_VALUE', 'table: "t"', 'table: "t; drop table t"'],
  ['BAD_MAPPING', '"{$env.DB}"', '"{$args.x}"'],
  ['BAD_MAPPING', 'a: $args.area', 'a: $args.aera'],
  ['BAD_MAPPING', 'detail: { text: dt }', 'detail: { text: dt', 'detail: {'],
  ['BAD_MAPPING', '$.area->under', '$.district->under'],
  ['BAD_MAPPING', ' @requires(fields: "number")', '', 'order: Order @connect(reference: "id: $this'],
  [
    'BAD_MAPPING',
    'where: "no: $batch.id" }, batch: { how: SQL_IN, match: "id" }',
    'where: "no: 1" }, batch: { how: SQL_IN, match: "id" }',
  ],
  ['BAD_MAPPING', 'batch: { how: SQL_IN, match: "id" }', 'batch: { how: LOAD_ALL, match: "id" }'],
  [
    'CODES_NOT_TOTAL',
    '@source(name: "db"',
    '@codes(name: "s", of: "OrderState", pairs: "[\'1\',\'OPEN\']") @source(name: "db"',
  ],
  ['UNKNOWN_METHOD', "st->match(['1'", "st->lookup(['1'", 'st->lookup'],
  ['N_PLUS_ONE', 'batch: { how: SQL_IN, match: "id" }, ', ''],
  [
    'N_PLUS_ONE',
    ', batch: { how: SQL_IN, match: "order", many: true }, select: "order: no text',
    ', select: "text',
    'notes:',
  ],
  ['COMPOSITE_KEY', 'type Order @key(fields: "id")', 'type Order @key(fields: "id state")', 'type Order'],
  ['KEY_NOT_IN_ANSWER', 'match: "order"', 'match: "number"'],
  ['KEY_NOT_IN_ANSWER', '$.rows { id: no }', '$.rows { state: no }'],
  ['KEY_NOT_IN_ANSWER', '@connect(reference: "id: $args.id")', '@connect(reference: "no: $args.id")'],
  ['SHAPE_MISMATCH', 'detail: { text: dt }', 'detail: { text: dt } extra: dt', 'extra: dt'],
  ['SHAPE_MISMATCH', 'detail: { text: dt }', "detail: dt->split(',')", 'detail: dt'],
  ['SHAPE_MISMATCH', "['2','CLOSED']", "['2','SHUT']", 'SHUT'],
  ['SHAPE_MISMATCH', '$.rows { id: no }', '$.rows->list->first { id: no }'],
  ['SHAPE_MISMATCH', ', many: true', ''],
  ['SHAPE_MISMATCH', 'type OrderChanged implements Resumable', 'type OrderChanged'],
  ['SHAPE_MISMATCH', '  cursor: Cursor!\n', '', 'type OrderChanged'],
  ['SHAPE_MISMATCH', '  gap: Gap\n', '', 'type OrderChanged'],
  ['PLAIN_DATE_TIME', 'type Detail { text: String }', 'type Detail { text: DateTime }', 'text: dt'],
  ['FIELD_WITHOUT_SOURCE', '  state: OrderState\n', '  state: OrderState\n  unit: String\n', 'unit: String'],
  ['FIELD_WITHOUT_SOURCE', 'type Detail { text: String }', 'type Detail { text: String by: String }'],
  ['FIELD_WITHOUT_SOURCE', 'number: ID @external', 'number: ID'],
  [
    'FIELD_WITHOUT_SOURCE',
    '  order(id: ID!): Order @connect(reference: "id: $args.id")',
    '  order(id: ID!): Order',
  ],
  ['FIELD_WITHOUT_SOURCE', '  order: Order\n}', '  order: Order\n  by: String\n}', '  by: String'],
  ['SECRET_IN_CLEAR', 'verify: "x-hook"', 'verify: "S3cret!"'],
  ['SECRET_IN_CLEAR', 'bearer: "web-token"', 'bearer: "Bearer eyJ"'],
  ['REPORT_SHAPE', "channel: 'APP' title", "channel: 'APP' heading: x title", '@ingest'],
  ['REPORT_SHAPE', 'title: bt ', '', '@ingest'],
  ['REPORT_SHAPE', 'externalNumbers: { order: no }', "externalNumbers: 'x'", '@ingest'],
  ['NOT_INGESTED', '@changes(of: "Order"', '@changes(of: "Note"'],
  ['BAD_VALUE', '@changes(of: "Order"', '@changes(of: "Order", snapshot: "orders(area: $args.area)"'],
  ['BAD_VALUE', '@changes(of: "Order"', '@changes(of: "Order", coalesce: true'],
  [
    'BAD_VALUE',
    'after: Cursor): OrderChanged! @changes(of: "Order"',
    'from: StreamStart = LIVE, after: Cursor): OrderChanged! @changes(of: "Order", snapshot: "notes"',
  ],
  ['INGEST_KEY', 'key: "id", order', 'key: "version", order'],
  ['INGEST_KEY', 'select: "id: no version', 'select: "version'],
  ['INGEST_ORDER', 'version: seq area', 'area', '@ingest'],
  ['FILE_MISSING', 'sql: { url: "{$env.DB}" }', 'soap: { wsdl: "../a.wsdl", endpoint: "x" }'],
  ['WRONG_TOGETHER', 'auth: { bearer: "web-token" }', 'tls: { cert: "web-cert" }'],
  ['UNKNOWN_TYPE', 'type Note { text: String }', 'type Note { text: Sting }'],
  ['UNKNOWN_DIRECTIVE', 'type Note { text: String }', 'type Note { text: String @shareable }'],
  ['MISPLACED', 'enum OrderState {', 'enum OrderState @freshness(maxAge: "5s") {'],
  [
    'MISPLACED',
    '@connect(reference: "id: $args.id")',
    '@connect(reference: "id: $args.id") @connect(reference: "id: $args.id")',
  ],
  ['SYNTAX', 'type Detail { text: String }', 'type Detail { text String }'],
  ['TIMEOUT_TOO_LONG', 'title: "登记系统"', 'guard: { timeout: "2500ms", retries: 1 }'],
  ['TIMEOUT_CANNOT_FIT', 'title: "登记系统"', 'guard: { timeout: "5s", retries: 0 }'],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { ratePerSecond: 0 }'],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { ratePerSecond: 5, burst: 0 }'],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { burst: 4 }'],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { quiet: "02:00-26:00" }'],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { quiet: "02:00-03:00, 5-6" }'],
  ['BAD_VALUE', 'title: "登记系统"', 'guard: { quiet: "02:00-02:00" }'],
  ['BAD_VALUE', ORDER_KEY, `${ORDER_KEY} @freshness(maxAge: "8d")`],
  ['BAD_VALUE', ORDER_KEY, `${ORDER_KEY} @freshness(maxAge: "15s", staleIfError: "5s")`],
  ['MISPLACED', 'type Note { text: String }', 'type Note @freshness(maxAge: "5s") { text: String }'],
  [
    'MISPLACED',
    '@connect(reference: "id: $args.id")',
    '@connect(reference: "id: $args.id") @freshness(maxAge: "5s")',
  ],
];

describe('build codes', () => {
  const cases = MISTAKES.map(([code, from, to, at]) => ({ code, from, to, at: at ?? to }));

  test.each(cases)('$code is told with its line: $to', ({ code, from, to, at }) => {
    expect(GOOD).toContain(from);
    const sdl = GOOD.replace(from, () => to);
    const anchor = at === '' ? GOOD.slice(0, GOOD.indexOf(from)).split('\n').at(-1) : at;
    const found = issuesOf(sdl).filter((issue) => issue.code === code);
    expect(
      found.map(({ line }) => line),
      JSON.stringify(issuesOf(sdl)),
    ).toContain(lineOf(sdl, anchor ?? ''));
    expect(found[0]?.message).toMatch(/ — ./);
    expect(basename(found[0]?.file ?? '')).toBe('a.graphql');
  });

  test('WRITE_ON_READ_ONLY is told for a mutation, and not where the source may be written', () => {
    const mutation =
      'type Mutation { close(id: ID!): Order @connect(source: "web", http: { POST: "/close/{$args.id}" }, select: "id: $.no") }\n';
    const issues = issuesOf(GOOD + mutation);
    expect(issues.map(({ code, line }) => [code, line])).toEqual([
      ['WRITE_ON_READ_ONLY', lineOf(GOOD + mutation, 'type Mutation')],
    ]);
    expect(issuesOf(`${GOOD.replace('name: "web",', 'name: "web", readOnly: false,')}${mutation}`)).toEqual(
      [],
    );
  });

  test('NO_SDL is told of a folder without SDL, and of one without a source', () => {
    const codesOf = (files: Readonly<Record<string, string>>) =>
      checkFolder(folderOf(files)).issues.map(({ code }) => code);
    expect(codesOf({ 'readme.txt': '' })).toEqual(['NO_SDL']);
    expect(codesOf({ 'a.graphql': 'type Query' })).toEqual(['NO_SDL']);
  });

  test('a mistake in a block string is told with the line and column inside it', () => {
    const sdl = GOOD.replace('detail: { text: dt }', 'detail: { text: dt->nope }');
    const [issue] = issuesOf(sdl);
    const line = lineOf(sdl, 'dt->nope');
    expect(issue).toMatchObject({
      code: 'UNKNOWN_METHOD',
      line,
      column: (sdl.split('\n')[line - 1] ?? '').indexOf('nope') + 1,
    });
  });

  test('warnings leave the folder usable', () => {
    const sdl = GOOD.replace('title: "登记系统"', 'guard: { timeout: "2500ms" }');
    expect(checkFolder(folderOf({ 'a.graphql': sdl }))).toMatchObject({
      ok: true,
      issues: [{ severity: 'warning' }],
    });
  });

  test('every code of the closed list is told by a test here', () => {
    const told = new Set([...MISTAKES.map(([code]) => code), 'WRITE_ON_READ_ONLY', 'NO_SDL']);
    // By http-sources.test.ts: it needs a WSDL.
    told.add('UNKNOWN_OPERATION');
    for (const code of ['DISPATCH_SHAPE', 'PROGRESS_SHAPE']) told.add(code); // By dispatches.test.ts.
    told.add('OPEN_WORK_SHAPE'); // By open-work.test.ts.
    told.add('NOTIFY_SHAPE'); // By notices.test.ts.
    expect(Object.keys(BUILD_CODES).filter((code) => !told.has(code))).toEqual([]);
  });
});

describe('write', () => {
  const WRITING = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{ name: "@key", as: "@primary" }])
  @source(name: "web", rest: { baseUrl: "{$env.WEB}" }, readOnly: false, guard: { timeout: "1s" })
type Query {
  renaming(no: ID!): Renaming @connect(source: "web", http: { GET: "/r", query: "no: $args.no" }, select: "upstreamRef: $.no")
  plain: Renaming @connect(source: "web", http: { GET: "/r" }, select: "upstreamRef: $.no")
}
type Renaming { upstreamRef: String }
type Mutation {
  rename(id: ID!, requestId: ID!): CommandReceipt @connect(source: "web", http: { POST: "/r", body: "id: $args.id" }, select: "upstreamRef: $.no",
    write: { idempotencyKey: "$args.requestId", reconcile: "Query.renaming" })
}
`;

  test('is planned, and its receipt is defined where the folder names it', () => {
    const { plan } = compileSystem(folderOf({ 'a.graphql': WRITING }));
    const field = plan.fields.get('Mutation.rename');
    expect(field).toMatchObject({
      write: {
        reconcile: { field: 'Query.renaming', argument: 'no' },
        retryable: false,
        settleForMs: 3_000,
        giveUpAfterMs: 86_400_000,
      },
    });
    expect(plan.storedSdl).toContain('type CommandReceipt @federation__shareable');
    expect(plan.storedSdl).toContain('type Command @primary(fields: "id", resolvable: false)');
    expect(plan.storedSdl).toContain('enum CommandOutcome');
  });

  test.each([
    [
      'another type than a receipt',
      'requestId: ID!): CommandReceipt',
      'requestId: ID!): Renaming',
      'SHAPE_MISMATCH',
    ],
    [
      'a list of receipts',
      'requestId: ID!): CommandReceipt',
      'requestId: ID!): [CommandReceipt]',
      'SHAPE_MISMATCH',
    ],
    ['a reconcile that is not there', 'Query.renaming', 'Query.nothing', 'BAD_VALUE'],
    ['a reconcile without an argument', 'Query.renaming', 'Query.plain', 'BAD_VALUE'],
    ['a client number that is an object', '"$args.requestId"', '"no: $args.requestId"', 'SHAPE_MISMATCH'],
    ['a client number that is no argument', '$args.requestId', '$args.number', 'BAD_MAPPING'],
    ['a source that is read only', 'readOnly: false', 'readOnly: true', 'WRITE_ON_READ_ONLY'],
  ])('refuses %s', (_, part, other, code) => {
    const issues = issuesOf(WRITING.replace(part, other));
    expect(issues.map((issue) => issue.code)).toContain(code);
  });

  test('refuses a write where nothing is written', () => {
    const issues = issuesOf(
      GOOD.replace(
        'select: "$.rows { id: no }")',
        'select: "$.rows { id: no }", write: { idempotencyKey: "$args.area" })',
      ),
    );
    expect(issues.map(({ code }) => code)).toEqual(['MISPLACED']);
  });
});
