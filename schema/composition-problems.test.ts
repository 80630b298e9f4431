// Laws of what composition reports: each finding has the field's code, its systems, and the places in what these wrote.
import { describe, expect, it } from 'vitest';
import { compose, type Subgraph } from './compose.ts';
import { type Problem, printProblem } from './problem.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable"])`;

function member(name: string, lines: readonly string[], more: Partial<Subgraph> = {}): Subgraph {
  return { name, url: `http://${name}.test/graphql`, sdl: [LINK, ...lines].join('\n'), ...more };
}

function placesOf(problem: Problem | undefined): readonly string[] {
  return (problem?.locations ?? []).map(
    ({ system, file, line, column }) => `${system} ${file}:${line}:${column}`,
  );
}

const lights = member('lights', [
  'type Query { light(id: ID!): Light }',
  '"A light."',
  'type Light @key(fields: "id") {',
  '  id: ID!',
  '  "Its name."',
  '  name: String',
  '}',
]);

describe('a composition error', () => {
  it('stands with every system that has a part in it', () => {
    const power = member('power', ['type Light @key(fields: "id") {', '  id: ID!', '  name: String }'], {
      file: 'power.graphql',
    });
    const { errors } = compose([power, lights]);
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toMatchObject({ code: 'INVALID_FIELD_SHARING', level: 'ERROR' });
    expect(placesOf(errors?.[0])).toEqual(['lights sdl:7:3', 'power power.graphql:4:3']);
    expect(printProblem(errors?.[0] as Problem)).toMatch(
      /^sdl:7:3: lights, power: Light\.name: .* \[INVALID_FIELD_SHARING\] \(power\.graphql:4:3\)$/,
    );
  });

  it.each([
    ['KEY_INVALID_FIELDS', ['type Light @key(fields: "colour") { id: ID! @shareable }'], 'power sdl:2:12'],
    [
      'EXTERNAL_UNUSED',
      ['type Light @key(fields: "id") {', 'id: ID! name: String @external }'],
      'power sdl:3:9',
    ],
    ['FIELD_TYPE_MISMATCH', ['type Light @key(fields: "id") {', 'id: Int! }'], 'power sdl:3:1'],
    ['INVALID_GRAPHQL', ['type Light @key(fields: "id") {', ' id: Nothing! }'], 'power sdl:3:6'],
    ['INVALID_GRAPHQL', ['type Light {', ' id: }'], 'power sdl:3:6'],
    ['EXTENSION_WITH_NO_BASE', ['extend type Nowhere { a: Int }'], 'power sdl:2:1'],
    [
      'REQUIRES_INVALID_FIELDS',
      ['type Light @key(fields: "id") {', 'id: ID! w: Int @requires(fields: "x") }'],
      'power sdl:3:16',
    ],
  ])('has its code and its place: %s', (code, lines, place) => {
    const { errors } = compose([lights, member('power', lines)]);
    expect(errors?.map((problem) => problem.code)).toContain(code);
    const found = errors?.filter((problem) => problem.code === code).flatMap(placesOf);
    expect(found).toContain(place);
  });

  it('of a path that nobody can answer names the field that leads there', () => {
    const power = member('power', [
      'type Query { meters: [Meter!] }',
      'type Meter { light: Light }',
      'type Light @key(fields: "id", resolvable: false) { id: ID! }',
    ]);
    const sealed = member('lights', [
      'type Query { light(id: ID!): Light }',
      'type Light @key(fields: "id", resolvable: false) { id: ID! @shareable name: String }',
    ]);
    const { errors } = compose([power, sealed]);
    expect(errors?.[0]?.code).toBe('SATISFIABILITY_ERROR');
    expect(placesOf(errors?.[0]).length).toBeGreaterThan(0);
  });

  it('of an SDL that was made of files stands in the file', () => {
    const sdl = [LINK, 'type Light @key(fields: "id") { id: ID! name: String }'].join('\n');
    const sources = [
      { file: 'power/a.graphql', text: `${LINK}\n` },
      {
        file: 'power/b.graphql',
        text: '"As written."\ntype Light @key(fields: "id") {\n  id: ID! name: String @connect }',
      },
    ];
    const { errors } = compose([lights, { name: 'power', url: 'http://power.test/', sdl, sources }]);
    expect(placesOf(errors?.[0])).toEqual(['lights sdl:7:3', 'power power/b.graphql:3:11']);
  });

  it('of a live field stands where its owner wrote it, though another subgraph is made of it', () => {
    const live = member('power', [
      'extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])',
      'type Subscription {',
      '  changed: Changed! @eventStream(topic: "t", message: "{ light { id } }")',
      '}',
      'type Changed implements Resumable { cursor: Cursor! gap: Gap light: Light }',
      'type Light @key(fields: "id") { id: ID! }',
    ]);
    const clash = member('lights', [
      'type Query { a: Changed }',
      'type Changed { cursor: ID! }',
      'type Light @key(fields: "id") { id: ID! }',
    ]);
    const { errors } = compose([live, clash]);
    expect(errors?.map(({ code }) => code)).toContain('FIELD_TYPE_MISMATCH');
    const mismatch = errors?.find(({ coordinate }) => coordinate === 'Changed.cursor');
    expect(placesOf(mismatch)).toEqual(['lights sdl:3:16', 'power sdl:6:37']);
  });
});

describe('findings', () => {
  const hinted = member('power', [
    'type Query { meters: [Meter!] all: Light! }',
    'type Meter { a: Kind b: Kind! }',
    'enum Kind { A B C }',
    'type Light @key(fields: "id") { id: ID! watts: Int! }',
    'type Lamp { watts: Int }',
  ]);
  const other = member('lights', [
    ...lights.sdl.split('\n').slice(1),
    'type Meter { a: Kind b: Int c: Int! }',
    'enum Kind { A B }',
    'union Lamp = Light',
  ]);

  it('below errors are WARN or INFO, and have places too', () => {
    const composition = compose([hinted, member('lights', lights.sdl.split('\n').slice(1))]);
    expect(composition.errors).toBeUndefined();
    const hints = composition.errors === undefined ? composition.hints : [];
    expect(hints.length).toBeGreaterThan(1);
    for (const hint of hints) {
      expect(['WARN', 'INFO']).toContain(hint.level);
      expect(hint.locations.map(({ system }) => system)).toEqual(hint.systems);
    }
  });

  it('stand in one order, each once, whatever the order of the systems', () => {
    const one = compose([hinted, other]);
    const two = compose([other, hinted]);
    expect(one).toEqual(two);
    expect(one.errors?.length).toBeGreaterThan(1);
    const keys = one.errors?.map((problem) => JSON.stringify(problem));
    expect(new Set(keys).size).toBe(keys?.length);
    const lines = (one.errors ?? []).map(({ locations }) => locations[0]?.line ?? 0);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });
});
