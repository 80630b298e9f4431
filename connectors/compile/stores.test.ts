import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-stores-'));
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "hook", webhook: { path: "/in/x", verify: "x-hook", dedupeHeader: "X-Id" })
  @source(name: "web", rest: { baseUrl: "{$env.WEB}" })
type Query {
  lamps(area: ID, wattsFrom: Int, first: Int): [Lamp!] @connect(store: true)
  lamp(id: ID!): Lamp @connect(source: "hook", store: true)
}
type Lamp @key(fields: "id")
  @connect(source: "hook", store: true)
  @ingest(source: "hook", key: "id", order: "version", keep: "3d", select: "id: no version: seq area: qy watts: gl")
{ id: ID! area: ID watts: Int }
type Post @key(fields: "id") @connect(source: "web", http: { GET: "/p", query: "no: $batch.id" }, batch: { how: JSON_BODY, match: "id" }, select: "$.rows { id: no }")
{ id: ID! }
`;

function issuesOf(sdl: string): readonly string[] {
  writeFileSync(join(folder, 'a.graphql'), sdl);
  return checkFolder(folder).issues.map(({ code, line }) => `${code}:${line}`);
}

describe('@connect(store: true)', () => {
  test('compiles to a loader and to fields that read what @ingest keeps', () => {
    expect(issuesOf(GOOD)).toEqual([]);
    const { plan } = compileSystem(folder);
    expect(plan.entities.get('Lamp')).toMatchObject({
      keyField: 'id',
      connect: { source: 'hook', call: { protocol: 'store', type: 'Lamp' }, batch: { how: 'STORE' } },
    });
    const field = plan.fields.get('Query.lamps');
    expect(field?.kind === 'call' && field.connect.call).toEqual({
      protocol: 'store',
      type: 'Lamp',
      entityField: 'lamp',
      filters: [
        { argument: 'area', field: 'area', comparison: 'EQ', kind: 'TEXT' },
        { argument: 'wattsFrom', field: 'watts', comparison: 'FROM', kind: 'NUMBER' },
      ],
      firstArgument: 'first',
    });
    expect(plan.ingests[0]?.keepMs).toBe(3 * 24 * 3_600_000);
  });

  test.each([
    ['UNKNOWN_SOURCE:7', '(id: ID!): Lamp @connect(source: "hook"', '(id: ID!): Lamp @connect(source: "web"'],
    ['UNKNOWN_SOURCE:10', ')\n  @connect(source: "hook"', ')\n  @connect(source: "web"'],
    [
      'TWO_PROTOCOLS:10',
      ')\n  @connect(source: "hook", store: true)',
      ')\n  @connect(source: "hook", store: true, select: "id: no")',
    ],
    [
      'TWO_PROTOCOLS:6',
      '[Lamp!] @connect(store: true',
      '[Lamp!] @connect(store: true, reference: "id: $args.area"',
    ],
    ['BAD_VALUE:6', '[Lamp!] @connect(store: true', '[Lamp!] @connect(store: false'],
    ['BAD_VALUE:6', '(area: ID,', '(colour: ID,'],
    ['BAD_VALUE:7', '(id: ID!)', '(id: ID!, first: Int)'],
    ['NOT_INGESTED:7', '(id: ID!): Lamp', '(id: ID!): Post'],
    ['MISPLACED:12', 'watts: Int }', 'watts: Int near: [Lamp!] @connect(store: true) }'],
    ['FIELD_WITHOUT_SOURCE:13', 'watts: Int }', 'watts: Int\n colour: String }'],
    ['SHAPE_MISMATCH:11', 'watts: gl"', 'watts: { a: gl }"'],
    ['BAD_VALUE:11', 'keep: "3d"', 'keep: "3 days"'],
  ])('%s is told of %s as %s', (issue, from, to) => {
    expect(GOOD).toContain(from);
    expect(issuesOf(GOOD.replace(from, to))).toContain(issue);
  });
});
