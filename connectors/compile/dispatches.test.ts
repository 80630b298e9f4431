import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INCIDENT_PROGRESS_FIELDS } from '@weft/schema/incident-progress';
import { afterAll, describe, expect, test } from 'vitest';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-dispatches-'));
const file = join(folder, 'city.graphql');
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCES = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "city", rest: { baseUrl: "{$env.CITY}" }, readOnly: false)
  @source(name: "hook", webhook: { path: "/in/city", verify: "hook", dedupeHeader: "x-id" })
`;
const ASKED = `type Query { byNo(no: ID!): Found @connect(source: "city", http: { GET: "/cases", query: "no: $args.no" }, select: "upstreamRef: $.no") }
type Found { upstreamRef: String }
`;
const WRITE = `source: "city", http: { POST: "/cases", body: "no: $args.requestId" }, select: "upstreamRef: $.no"`;

interface Field {
  readonly name?: string;
  readonly args?: string;
  readonly dispatch?: string;
  readonly write?: string;
}

function field({
  name = 'open',
  args = 'requestId: ID!',
  dispatch = 'department: "urban-management"',
  write = ', write: { idempotencyKey: "$args.requestId", reconcile: "Query.byNo" }',
}: Field = {}): string {
  return `${name}(${args}): CommandReceipt @dispatch(${dispatch}) @connect(${WRITE}${write})`;
}

function withIngest(progress: string): string {
  return `${SOURCES}${ASKED}type Case @key(fields: "id")
  @ingest(source: "hook", key: "id", order: "v", select: "id: no v: v", progress: "${progress}") { id: ID! }`;
}

function issuesOf(sdl: string) {
  writeFileSync(file, sdl);
  return checkFolder(folder).issues.map(({ code, problem, mend }) => `${code} ${problem} — ${mend}`);
}

const dispatches = (...fields: readonly Field[]) =>
  issuesOf(`${SOURCES}${ASKED}type Mutation { ${fields.map(field).join('\n')} }`);

describe('@dispatch', () => {
  test('becomes a plan, and stays out of the stored SDL', () => {
    const args =
      'requestId: ID!, incident: ID!, attempt: Int, longitude: Float, handleBy: DateTime!, note: String';
    writeFileSync(
      file,
      `${SOURCES}${ASKED}type Mutation { ${field({ args, dispatch: 'department: "fire", numberKind: "fireCase"' })} }`,
    );
    const { plan } = compileSystem(folder);
    expect(plan.dispatches).toEqual([
      {
        department: 'fire',
        numberKind: 'fireCase',
        field: 'open',
        arguments: ['requestId', 'incident', 'attempt', 'longitude', 'handleBy', 'note'],
      },
    ]);
    expect(plan.storedSdl).not.toContain('@dispatch');
    expect(plan.servedSdl).not.toContain('@dispatch');
  });

  test('calls the number by the name of the folder when nothing else is said', () => {
    writeFileSync(file, `${SOURCES}${ASKED}type Mutation { ${field()} }`);
    const { plan } = compileSystem(folder);
    expect(plan.dispatches?.[0]?.numberKind).toBe(plan.name);
  });

  test.each<[string, readonly Field[], RegExp]>([
    ['no write', [{ write: '' }], /^MISPLACED Mutation.open is no write/],
    ['no code', [{ dispatch: 'department: "Fire Brigade"' }], /^BAD_VALUE 'Fire Brigade' is no code/],
    [
      'an argument that nobody gives',
      [{ args: 'requestId: ID!, colour: String!' }],
      /^DISPATCH_SHAPE a dispatch has no 'colour' — make it nullable/,
    ],
    [
      'an argument of another type',
      [{ args: 'requestId: ID!, longitude: String' }],
      /^DISPATCH_SHAPE 'longitude' of a dispatch is no String — write Float/,
    ],
    [
      'a list',
      [{ args: 'requestId: ID!, title: [String!]' }],
      /^DISPATCH_SHAPE 'title' of a dispatch is no String/,
    ],
    [
      'what can be null',
      [{ args: 'requestId: ID!, matter: String!' }],
      /^DISPATCH_SHAPE 'matter' of a dispatch can be null/,
    ],
    [
      'no client number',
      [{ args: 'no: ID', write: ', write: { idempotencyKey: "$args.no" }' }],
      /^DISPATCH_SHAPE 'open' has no argument requestId/,
    ],
    [
      'two for one department',
      [{}, { name: 'openToo' }],
      /^WRONG_TOGETHER 'open' has @dispatch for urban-management already/,
    ],
  ])('refuses %s', (_, fields, expected) => {
    expect(dispatches(...fields)).toContainEqual(expect.stringMatching(expected));
  });

  test('refuses another client number, and a field that is no mutation', () => {
    const write = ', write: { idempotencyKey: "$args.incident" }';
    expect(dispatches({ args: 'requestId: ID!, incident: ID!', write })).toEqual([
      expect.stringMatching(/^DISPATCH_SHAPE the client number of a dispatch is not '\$args.incident'/),
    ]);
    const asked = ASKED.replace('@connect', '@dispatch(department: "fire") @connect');
    expect(issuesOf(`${SOURCES}${asked}`)).toEqual([
      expect.stringMatching(/^MISPLACED Query.byNo is no write/),
    ]);
  });
});

describe('progress', () => {
  const WHOLE = "kind: 'case' number: no state: s->match(['2', 'SIGNED'], [@, null]) at: t";

  test('becomes a mapping of the plan', () => {
    writeFileSync(file, withIngest(WHOLE));
    const progress = compileSystem(folder).plan.ingests[0]?.progress;
    expect(progress?.evaluate({ $: { no: '7', s: '2', t: '2026-11-29T08:00:00Z' } })).toEqual({
      kind: 'case',
      number: '7',
      state: 'SIGNED',
      at: '2026-11-29T08:00:00Z',
    });
  });

  test.each<[string, string, RegExp]>([
    ['what is no object', "'SIGNED'", /^PROGRESS_SHAPE progress yields no object/],
    [
      'an entry that is not known',
      `${WHOLE} colour: c`,
      /^PROGRESS_SHAPE progress has no 'colour' — known are kind, number/,
    ],
    [
      'an object in the place of a value',
      `${WHOLE} by: { name: n }`,
      /^PROGRESS_SHAPE 'by' of progress is no plain value/,
    ],
    [
      'a state that there is not',
      WHOLE.replace('SIGNED', 'CLOSED'),
      /^PROGRESS_SHAPE can yield the state 'CLOSED' — known are SIGNED, RETURNED, FED_BACK/,
    ],
  ])('refuses %s', (_, progress, expected) => {
    expect(issuesOf(withIngest(progress))).toEqual([expect.stringMatching(expected)]);
  });

  test('needs what the incident library finds the attempt and the step by', () => {
    const needed = Object.entries(INCIDENT_PROGRESS_FIELDS).flatMap(([name, need]) =>
      need === 'required' ? [name] : [],
    );
    expect(issuesOf(withIngest('by: who'))).toEqual(
      needed.map((name) => `PROGRESS_SHAPE progress needs '${name}' — add \`${name}: …\``),
    );
  });
});
