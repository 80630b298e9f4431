import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { BuildIssue } from './build-issues.ts';
import { checkFolder } from './check.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-build-errors-'));
const file = join(folder, 'city.graphql');

afterAll(() => rmSync(folder, { recursive: true }));

const HEAD = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
`;
const DB = `extend schema @source(name: "db", sql: { url: "{$env.DB}" })
`;
const WEB = `extend schema @source(name: "web", rest: { baseUrl: "{$env.WEB}" })
`;

/** In the SDL `«…»` stands around what an editor underlines; the marks are taken out before it is compiled. */
interface Mistake {
  readonly what: string;
  readonly sdl: string;
  readonly code: string;
  readonly problem: RegExp;
  /** Names what to write, or what may stand there. */
  readonly mend: RegExp;
}

const MISTAKES: readonly Mistake[] = [
  {
    what: 'an unknown source',
    sdl: `${DB}type Query { names: [String!] @connect(source: «"dp"», sql: { table: "t", columns: "n" }, select: "n: n") }`,
    code: 'UNKNOWN_SOURCE',
    problem: /no source 'dp'/,
    mend: /the folder has db/,
  },
  {
    what: 'two protocols in a source',
    sdl: `extend schema «@source(name: "db", sql: { url: "{$env.DB}" }, rest: { baseUrl: "{$env.WEB}" })»
type Query { x: ID }`,
    code: 'TWO_PROTOCOLS',
    problem: /has rest and sql/,
    mend: /keep exactly one/,
  },
  {
    what: 'two protocols in a call',
    sdl: `${DB}type Query { x: Thing «@connect(source: "db", sql: { table: "t", columns: "n" }, http: { GET: "/t" }, select: "n: n")» }
type Thing { n: String }`,
    code: 'TWO_PROTOCOLS',
    problem: /has http and sql/,
    mend: /keep exactly one/,
  },
  {
    what: 'a list whose elements are asked for one by one',
    sdl: `${HEAD}${DB}type Query { things: [Thing!] @connect(source: "db", sql: { table: "t", columns: "n" }, select: "n: n") }
type Thing { n: String «notes: [Note!] @connect(source: "db", sql: { table: "o", columns: "n", where: "n: $this.n" }, select: "x: n")» }
type Note { x: String }`,
    code: 'N_PLUS_ONE',
    problem: /Thing/,
    mend: /batch/,
  },
  {
    what: 'an entity that is loaded without batch',
    sdl: `${HEAD}${DB}type Query { thing(id: ID!): Thing @connect(reference: "id: $args.id") }
type Thing @key(fields: "id") «@connect(source: "db", sql: { table: "t", columns: "n" }, select: "id: n")» { id: ID! }`,
    code: 'N_PLUS_ONE',
    problem: /Thing is loaded one by one/,
    mend: /add batch: \{ how: …, match: "<key>" \}/,
  },
  {
    what: 'a key that is not in the answer',
    sdl: `${HEAD}${DB}type Query { thing(id: ID!): Thing @connect(reference: "id: $args.id") }
type Thing @key(fields: "id")
  @connect(source: "db", sql: { table: "t", columns: "n", where: "n: $batch.id" }, batch: { how: SQL_IN, match: «"id"» }, select: "name: n")
{ id: ID! name: String }`,
    code: 'KEY_NOT_IN_ANSWER',
    problem: /yields no 'id'/,
    mend: /add `id: …` to select/,
  },
  {
    what: 'a mutation on a source that is read only',
    sdl: `${WEB}type Query { x: Thing @connect(source: "web", http: { GET: "/x" }, select: "n: n") }
type Mutation { close(id: ID!): Thing «@connect(source: "web", http: { POST: "/close" }, select: "n: n")» }
type Thing { n: String }`,
    code: 'WRITE_ON_READ_ONLY',
    problem: /'web' is read only/,
    mend: /readOnly: false/,
  },
  {
    what: 'a mapping method that does not exist',
    sdl: `${WEB}type Query { x: Thing @connect(source: "web", http: { GET: "/x" }, select: """
  n: name->trim
    ->«uppercase»
""") }
type Thing { n: String }`,
    code: 'UNKNOWN_METHOD',
    problem: /unknown method 'uppercase': known are .*upper/,
    mend: /docs\/mapping\.md/,
  },
  {
    what: 'a result that does not fit its type',
    sdl: `${WEB}type Query { x: Thing @connect(source: "web", http: { GET: "/x" }, select: "state: st->match(['1','OPEN'],['2','SHUT'])") }
type Thing { state: State }
enum State { OPEN CLOSED }`.replace('"state:', '"«state»:'),
    code: 'SHAPE_MISMATCH',
    problem: /can yield 'SHUT', which State does not have/,
    mend: /known are OPEN, CLOSED/,
  },
  {
    what: 'a field that nothing fills',
    sdl: `${WEB}type Query { x: Thing @connect(source: "web", http: { GET: "/x" }, select: "n: n") }
type Thing { n: String «unit: String» }`,
    code: 'FIELD_WITHOUT_SOURCE',
    problem: /nothing fills Thing\.unit/,
    mend: /add it to select, or give it @connect/,
  },
  {
    what: 'a field of Query that nothing asks for',
    sdl: `${WEB}type Query { «x: String» }`,
    code: 'FIELD_WITHOUT_SOURCE',
    problem: /nothing fills Query\.x/,
    mend: /^give it @connect/,
  },
  {
    what: 'a field of a type with a key that nothing loads',
    sdl: `${WEB}type Query { x: [Thing!] @connect(source: "web", http: { GET: "/x" }, select: "$.rows { id: n unit: u }") }
type Thing @key(fields: "id") { id: ID! «unit: String» }`,
    code: 'FIELD_WITHOUT_SOURCE',
    problem: /nothing fills Thing\.unit/,
    mend: /^give Thing a @connect that loads it by its key/,
  },
  {
    what: 'an argument that the field does not declare',
    sdl: `${WEB}type Query { x: ID @connect(source: "web", http: { GET: "/x/{«$args».no}" }, select: "$.no") }`,
    code: 'BAD_MAPPING',
    problem: /'\$args\.no' does not exist/,
    mend: /the field has no arguments: declare no/,
  },
  {
    what: 'a directive whose name is misspelt',
    sdl: `${WEB}type Query { x: ID «@conect(source: "web", http: { GET: "/x" }, select: "$.no")» }`,
    code: 'UNKNOWN_DIRECTIVE',
    problem: /no directive '@conect'/,
    mend: /like it is @connect/,
  },
  {
    what: 'a type whose name is misspelt',
    sdl: `${WEB}type Query { x: «Strng» @connect(source: "web", http: { GET: "/x" }, select: "$.no") }`,
    code: 'UNKNOWN_TYPE',
    problem: /no type 'Strng'/,
    mend: /like it is String/,
  },
  {
    what: 'an entry of a select whose name is misspelt',
    sdl: `${WEB}type Query { x: Thing @connect(source: "web", http: { GET: "/x" }, select: "n: n «unti»: u") }
type Thing { n: String unit: String }`,
    code: 'SHAPE_MISMATCH',
    problem: /Thing has no field 'unti'/,
    mend: /like it is unit/,
  },
  {
    what: 'a time-out that cannot fit the deadline',
    sdl: `extend schema @source(name: "web", rest: { baseUrl: "{$env.WEB}" }, guard: { timeout: «"6s"», retries: 0 })
type Query { x: ID }`,
    code: 'TIMEOUT_CANNOT_FIT',
    problem: /6000 ms.*5000 ms/,
    mend: /set timeout below 5000 ms/,
  },
  {
    what: 'tries that together reach the deadline',
    sdl: `extend schema @source(name: "web", rest: { baseUrl: "{$env.WEB}" }, guard: { timeout: «"2s"», retries: 2 })
type Query { x: Thing @connect(source: "web", http: { GET: "/x" }, select: "n: n") }
type Thing { n: String }`,
    code: 'TIMEOUT_TOO_LONG',
    problem: /2000 ms in 3 tries is 6000 ms/,
    mend: /lower timeout or retries/,
  },
  {
    what: 'a secret where its name belongs',
    sdl: `extend schema @source(name: "web", rest: { baseUrl: "{$env.WEB}", auth: { bearer: «"Bearer eyJhbGciOi"» } })
type Query { x: ID }`,
    code: 'SECRET_IN_CLEAR',
    problem: /'bearer' is no name of a secret/,
    mend: /the name under which the secret store has it/,
  },
  {
    what: 'a password in an address',
    sdl: `extend schema @source(name: "db", sql: { url: "postgres://«reader»:geheim@10.0.0.7/city" })
type Query { x: ID }`,
    code: 'SECRET_IN_CLEAR',
    problem: /'url' holds a password/,
    mend: /\{\$env\.…\}/,
  },
];

function placeOf(text: string): { readonly line: number; readonly column: number } {
  const lines = text.split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}

function compile(marked: string): readonly BuildIssue[] {
  writeFileSync(file, marked.replaceAll(/[«»]/g, ''));
  return checkFolder(folder).issues;
}

describe('a build error', () => {
  test.each(MISTAKES)('of $what is told at its place, and how it is mended', (mistake) => {
    const { sdl, code, problem, mend } = mistake;
    const start = placeOf(sdl.slice(0, sdl.indexOf('«')));
    const end = placeOf(sdl.slice(0, sdl.indexOf('»')).replace('«', ''));
    const issues = compile(sdl);
    const found = issues.find((issue) => issue.code === code);
    expect(found, JSON.stringify(issues)).toMatchObject({
      file,
      ...start,
      endLine: end.line,
      endColumn: end.column,
      problem: expect.stringMatching(problem),
      mend: expect.stringMatching(mend),
    });
    expect(found?.message).toBe(`${found?.problem} — ${found?.mend}`);
  });

  test('never repeats a secret that stands in clear text', () => {
    for (const { sdl } of MISTAKES.filter(({ code }) => code === 'SECRET_IN_CLEAR')) {
      expect(JSON.stringify(compile(sdl))).not.toMatch(/geheim|eyJhbGciOi/);
    }
  });

  test('of the syntax has a place and no range', () => {
    expect(compile('type Query { x ID }')[0]).toMatchObject({
      code: 'SYNTAX',
      line: 1,
      column: 16,
      endLine: 1,
      endColumn: 16,
    });
  });
});
