import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const EXAMPLE = new URL('../../docs/code-tables/gbt30428_2-2013-events.json', import.meta.url);
const MATTERS = new URL('../../subgraphs/incidents/matters.json', import.meta.url);
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const SDL = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@codes"])
  @source(name: "web", rest: { baseUrl: "{$env.WEB}" }, readOnly: false)
  @codes(name: "state", of: "OrderState", pairs: "['10','OPEN'],['50','CLOSED'],['99',null]", raw: "rawState")
  @codes(name: "matter", file: "matters.json", raw: "rawMatter")
type Query {
  orders(state: OrderState): [Order!]
    @connect(source: "web", http: { GET: "/o", query: "st: $args.state->uncode('state')" }, select: """
      $.rows { id: no state: st->code('state') rawState: st matter: sx->code('matter') rawMatter: sx }
    """)
}
type Order { id: ID! state: OrderState rawState: String matter: String rawMatter: String }
enum OrderState { OPEN CLOSED }
`;

function folderOf(sdl: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-codes-'));
  folders.push(folder);
  writeFileSync(join(folder, 'a.graphql'), sdl);
  writeFileSync(join(folder, 'matters.json'), readFileSync(EXAMPLE));
  return folder;
}

describe('@codes', () => {
  test('reads and writes by one table, and never leaves the connector', () => {
    const { plan, warnings } = compileSystem(folderOf(SDL));
    expect(warnings).toEqual([]);
    expect(plan.storedSdl).not.toContain('codes');
    const field = plan.fields.get('Query.orders');
    if (field?.kind !== 'call' || field.connect.call.protocol !== 'rest') throw new Error('expected a call');
    expect(field.connect.call.query?.evaluate({ args: { state: 'CLOSED' } })).toEqual({ st: '50' });
    const unknown: unknown[] = [];
    const onUnknownValue = (value: unknown) => unknown.push(value);
    const rows = [
      { no: 1, st: 10, sx: '0102' },
      { no: 2, st: '99', sx: '0409' },
      { no: 3, st: '7', sx: '9999' },
    ];
    expect(field.connect.select.evaluate({ $: { rows }, onUnknownValue })).toEqual([
      { id: 1, state: 'OPEN', rawState: 10, matter: '06010', rawMatter: '0102' },
      { id: 2, state: null, rawState: '99', matter: null, rawMatter: '0409' },
      { id: 3, state: null, rawState: '7', matter: null, rawMatter: '9999' },
    ]);
    // What is known to have no value is not told as unknown.
    expect(unknown).toEqual(['7', '9999']);
  });

  test.each([
    ['CODES_NOT_TOTAL', "['10','OPEN'],", '', 'OPEN'],
    ['CODES_NOT_TOTAL', "['10','OPEN']", "['10','OPEN'],['11','SHUT']", 'SHUT'],
    ['CODES_NOT_TOTAL', ', raw: "rawState"', '', '99'],
    ['BAD_MAPPING', 'rawState: st matter', 'matter', "entry 'rawState'"],
    ['BAD_MAPPING', "['50','CLOSED']", "['50','CLOSED'],['51','CLOSED']", "'50' and '51'"],
    ['BAD_MAPPING', "uncode('state')", "uncode('sate')", 'known are state, matter'],
    ['BAD_MAPPING', "['10','OPEN']", "['10']", 'pairs of a code'],
    ['BAD_VALUE', "['10','OPEN']", "['10','OPEN'],['10','CLOSED']", "'10' stands there twice"],
    ['UNKNOWN_TYPE', 'of: "OrderState"', 'of: "OrderStat"', 'OrderStat'],
    ['FILE_MISSING', 'file: "matters.json"', 'file: "matter.json"', 'matter.json'],
    ['NO_PROTOCOL', 'file: "matters.json", ', '', 'pairs, file'],
    ['MISPLACED', 'name: "matter"', 'name: "state"', 'already'],
  ])('%s where %s becomes %s', (code, from, to, told) => {
    expect(SDL).toContain(from);
    const { issues } = checkFolder(folderOf(SDL.replace(from, to)));
    const found = issues.find((issue) => issue.code === code);
    expect(found?.message, JSON.stringify(issues)).toContain(told);
    expect(found?.message).toContain(' — ');
  });

  test('the example table yields matters that the directory of GB/T 47678.5 has, each once', () => {
    const { codes } = JSON.parse(readFileSync(EXAMPLE, 'utf8')) as { codes: Record<string, string | null> };
    const { matters } = JSON.parse(readFileSync(MATTERS, 'utf8')) as { matters: Record<string, string> };
    const values = Object.values(codes).filter((value) => value !== null);
    expect(values.filter((value) => matters[value] === undefined)).toEqual([]);
    expect(new Set(values).size).toBe(values.length);
    expect(matters[codes['0102'] ?? '']).toBe('暴露垃圾');
    expect(matters[codes['0505'] ?? '']).toBe('机动车乱停放');
  });

  test('stands in the select of an @ingest, whose names the filter of its @changes reads', () => {
    const sdl = `extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
      @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@ingest", "@changes", "@codes"])
      @source(name: "hook", webhook: { path: "/in/orders", verify: "hook", dedupeHeader: "X-Id" })
      @codes(name: "state", of: "OrderState", pairs: "['10','OPEN'],['50','CLOSED']", raw: "rawState")
      type Query { order(id: ID!): Order @connect(reference: "id: $args.id") }
      type Order @key(fields: "id") @connect(store: true)
        @ingest(source: "hook", key: "id", order: "version",
          select: "id: no version: v state: st->code('state') rawState: st area") {
        id: ID! state: OrderState rawState: String
      }
      enum OrderState { OPEN CLOSED }
      type Subscription {
        orderChanged(area: ID, after: Cursor): OrderChanged! @changes(of: "Order", where: "$.area->under($args.area)")
      }
      type OrderChanged implements Resumable { cursor: Cursor! gap: Gap order: Order }`;
    expect(compileSystem(folderOf(sdl)).plan.storedSdl).toContain('$.area->under($args.area)');
  });
});
