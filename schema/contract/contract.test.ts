// Laws of contracts: a variant has what its tags say, hides what leads nowhere, and is an error when nothing sound is left.
import { buildSchema, printSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildApiSchema } from '../api-schema.ts';
import { compose, type Subgraph } from '../compose.ts';
import { composeContract, filterSupergraph } from './contract.ts';
import type { ContractFilter } from './contract-filter.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@tag", "@shareable", "@inaccessible", "@requires", "@external"])`;

function member(name: string, sdl: string, link = LINK): Subgraph {
  return { name, url: `http://${name}.test/`, sdl: `${link}\n${sdl}` };
}

/** What clients of the variant see, printed as one schema. */
function visible(filter: ContractFilter, ...sdls: readonly string[]): string {
  const composition = composeContract(
    sdls.map((sdl, at) => member(`s${at}`, sdl)),
    filter,
  );
  expect(composition.errors ?? []).toEqual([]);
  return sorted(
    printSchema(buildApiSchema(composition.supergraphSdl ?? '')).replace(
      /directive @defer[\s\S]*?INLINE_FRAGMENT/,
      '',
    ),
  );
}

const sorted = (sdl: string) => printSchema(buildSchema(sdl)).split('\n\n').sort().join('\n\n');

function errorsOf(filter: ContractFilter, sdl: string): readonly string[] {
  return (composeContract([member('one', sdl)], filter).errors ?? []).map(
    ({ code, coordinate }) => `${code} ${coordinate}`,
  );
}

const staff = { exclude: ['staff'] };
const open = { include: ['public'] };

describe('a filter that excludes', () => {
  it.each([
    ['a field', 'type Query { a: Int b: Int @tag(name: "staff") }', 'type Query { a: Int }'],
    [
      'a type with all that returns it',
      'type Query { a: Int t: T @tag(name: "staff") } type T @tag(name: "staff") { x: Int }',
      'type Query { a: Int }',
    ],
    [
      'a type of which every field is excluded',
      'type Query { a: Int t: T @tag(name: "staff") } type T { x: Int @tag(name: "staff") }',
      'type Query { a: Int }',
    ],
    [
      'an argument',
      'type Query { a(x: Int, y: Int @tag(name: "staff")): Int }',
      'type Query { a(x: Int): Int }',
    ],
    [
      'an enum value',
      'type Query { e: E } enum E { A B @tag(name: "staff") }',
      'type Query { e: E } enum E { A }',
    ],
    [
      'an input field',
      'type Query { a(i: I): Int } input I { x: Int y: Int @tag(name: "staff") }',
      'type Query { a(i: I): Int } input I { x: Int }',
    ],
    [
      'an input type with the argument',
      'type Query { a(i: I @tag(name: "staff")): Int } input I @tag(name: "staff") { x: Int }',
      'type Query { a: Int }',
    ],
    [
      'a member of a union, which stays',
      'type Query { u: U } union U = A | B type A { x: Int } type B @tag(name: "staff") { x: Int }',
      'type Query { u: U } union U = A type A { x: Int }',
    ],
    [
      'a union of which no member stays',
      'type Query { a: Int u: U @tag(name: "staff") } union U = A | B type A @tag(name: "staff") { x: Int } type B @tag(name: "staff") { x: Int }',
      'type Query { a: Int }',
    ],
    [
      'an implementation, and not its interface',
      'type Query { i: I } interface I { id: ID! } type A implements I { id: ID! } type B implements I @tag(name: "staff") { id: ID! }',
      'type Query { i: I } interface I { id: ID! } type A implements I { id: ID! }',
    ],
    [
      'of an interface what an implementation lacks',
      'type Query { i: I } interface I { id: ID! x: Int } type A implements I { id: ID! x: Int @tag(name: "staff") }',
      'type Query { i: I } interface I { id: ID! } type A implements I { id: ID! }',
    ],
    [
      'of interfaces that implement interfaces too',
      'type Query { i: I } interface I { id: ID! x: Int } interface J implements I { id: ID! x: Int } type A implements I & J { id: ID! x: Int @tag(name: "staff") }',
      'type Query { i: I } interface I { id: ID! } interface J implements I { id: ID! } type A implements I & J { id: ID! }',
    ],
    [
      'a scalar with what returns it',
      'type Query { a: Int s: S @tag(name: "staff") } scalar S @tag(name: "staff")',
      'type Query { a: Int }',
    ],
    [
      'a whole root type',
      'type Query { a: Int } type Mutation { m: Int @tag(name: "staff") }',
      'type Query { a: Int }',
    ],
    [
      'nothing that has another tag',
      'type Query { a: Int @tag(name: "other") b: Int @tag(name: "staff") }',
      'type Query { a: Int }',
    ],
  ])('leaves out %s', (_what, sdl, expected) => {
    expect(visible(staff, sdl)).toBe(sorted(expected));
  });

  it('leaves out what one of several systems has tagged', () => {
    const shared = (tag: string) =>
      `type Query { a: Int } type T @key(fields: "id") { id: ID! } extend type Query { t${tag.length}: T b: Int @shareable ${tag} }`;
    const seen = visible(staff, shared(''), shared('@tag(name: "staff")').replace('a: Int', 'c: Int'));
    expect(seen).not.toContain('b: Int');
  });
});

describe('a filter that includes', () => {
  it.each([
    [
      'only tagged fields, and their types',
      'type Query { a: Int b: T @tag(name: "public") } type T { x: Int @tag(name: "public") y: Int }',
      'type Query { b: T } type T { x: Int }',
    ],
    [
      'all fields of a tagged type',
      'type Query @tag(name: "public") { a: Int b: Int }',
      'type Query { a: Int b: Int }',
    ],
    [
      'arguments, inputs, enums and scalars with what uses them',
      'type Query { a(i: I, e: E!): S @tag(name: "public") } input I { x: Int } enum E { A } scalar S',
      'type Query { a(i: I, e: E!): S } input I { x: Int } enum E { A } scalar S',
    ],
    [
      'no part that has other tags of its own',
      'type Query { a(x: Int, y: Int @tag(name: "staff")): E @tag(name: "public") } enum E { A B @tag(name: "staff") }',
      'type Query { a(x: Int): E } enum E { A }',
    ],
    [
      'a union only when it is tagged',
      'type Query @tag(name: "public") { u: U } union U @tag(name: "public") = A | B type A @tag(name: "public") { x: Int } type B { y: Int }',
      'type Query { u: U } union U = A type A { x: Int }',
    ],
  ])('has %s', (_what, sdl, expected) => {
    expect(visible(open, sdl)).toBe(sorted(expected));
  });

  it('excludes what has both tags', () => {
    const sdl = 'type Query @tag(name: "public") { a: Int b: Int @tag(name: "staff") }';
    expect(visible({ ...open, ...staff }, sdl)).toBe(sorted('type Query { a: Int }'));
  });

  it('has the shared definitions of live fields without a tag', () => {
    const sdl = `extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
      type Query { a: T @tag(name: "public") }
      type Subscription { changed: Changed! @eventStream(topic: "t", message: "{ t { id } }") @tag(name: "public") }
      type Changed implements Resumable @tag(name: "public") { cursor: Cursor! gap: Gap t: T }
      type T @key(fields: "id") { id: ID! @tag(name: "public") secret: String }`;
    const seen = visible(open, sdl);
    expect(seen).toContain('type Gap');
    expect(seen).toContain('interface Resumable');
    expect(seen).not.toContain('secret');
  });
});

describe('what nothing leads to', () => {
  const sdl =
    'type Query { a: Int t: T @tag(name: "staff") } type T { x: E i(i: I): U } enum E { A } input I { x: Int } union U = V type V { y: Int }';

  it('is hidden', () => {
    expect(visible(staff, sdl)).toBe(sorted('type Query { a: Int }'));
  });

  it('stays when that is asked for', () => {
    expect(visible({ ...staff, keepUnreachable: true }, sdl)).toContain('type T');
  });
});

describe('a contract', () => {
  it('keeps keys and required fields for the planner, hidden from clients', () => {
    const one =
      'type Query { t: T } type T @key(fields: "id") { id: ID! @tag(name: "staff") w: Int @tag(name: "staff") x: Int }';
    const two = 'type T @key(fields: "id") { id: ID! w: Int @external y: Int @requires(fields: "w") }';
    expect(visible(staff, one, two)).toBe(sorted('type Query { t: T } type T { x: Int y: Int }'));
    const { supergraphSdl } = composeContract([member('one', one), member('two', two)], staff);
    expect(supergraphSdl).toMatch(/w: Int.*@inaccessible/);
    expect(supergraphSdl).toContain(
      '@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)',
    );
  });

  it('goes by the names that directives have, and marks nothing twice', () => {
    const link = LINK.replace('"@tag"', '{ name: "@tag", as: "@label" }').replace(
      '"@inaccessible"',
      '{ name: "@inaccessible", as: "@hidden" }',
    );
    const sdl = 'type Query { a: Int b: Int @label(name: "staff") c: Int @label(name: "staff") @hidden }';
    const { supergraphSdl = '' } = composeContract([member('one', sdl, link)], staff);
    expect(supergraphSdl.match(/: Int.*@hidden/g)).toHaveLength(2);
    expect(Object.keys(buildApiSchema(supergraphSdl).getQueryType()?.getFields() ?? {})).toEqual(['a']);
  });

  it.each<[string, ContractFilter, string, readonly string[]]>([
    [
      'nothing is left to ask',
      open,
      'type Query { a: Int @tag(name: "staff") }',
      ['QUERY_ROOT_TYPE_INACCESSIBLE Query'],
    ],
    [
      'a field leads to what is left out',
      staff,
      'type Query { t: T } type T @tag(name: "staff") { x: Int }',
      ['REFERENCED_INACCESSIBLE T'],
    ],
    [
      'an argument that must be given is left out',
      staff,
      'type Query { a(x: Int! @tag(name: "staff")): Int }',
      ['REQUIRED_INACCESSIBLE Query.a(x:)'],
    ],
    [
      'no value of an enum is left',
      staff,
      'type Query { e: E } enum E { A @tag(name: "staff") }',
      ['ONLY_INACCESSIBLE_CHILDREN E'],
    ],
    [
      'a default is left out',
      staff,
      'type Query { a(e: E = B): E } enum E { A B @tag(name: "staff") }',
      ['DEFAULT_VALUE_USES_INACCESSIBLE E.B'],
    ],
    [
      'a tag is included and excluded',
      { include: ['x'], exclude: ['x'] },
      'type Query { a: Int }',
      ['CONTRACT_FILTER_INVALID undefined'],
    ],
    [
      'a tag is none',
      { exclude: ['no tag'] },
      'type Query { a: Int }',
      ['CONTRACT_FILTER_INVALID undefined'],
    ],
    ['it asks for nothing', {}, 'type Query { a: Int }', ['CONTRACT_FILTER_INVALID undefined']],
  ])('is an error when %s', (_what, filter, sdl, expected) => {
    expect(errorsOf(filter, sdl)).toEqual(expected);
  });

  it('says where in which system an error stands', () => {
    const { errors } = composeContract(
      [member('one', 'type Query { t: T }\ntype T @tag(name: "staff") { x: Int }')],
      staff,
    );
    expect(errors?.[0]?.locations).toEqual([{ system: 'one', file: 'sdl', line: 3, column: 6 }]);
  });

  it('warns of a tag that nothing has', () => {
    const composition = composeContract([member('one', 'type Query { a: Int @tag(name: "staff") b: Int }')], {
      exclude: ['staff', 'stuff'],
    });
    const hints = composition.errors === undefined ? composition.hints : [];
    expect(hints.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'CONTRACT_TAG_UNUSED nothing has the tag stuff',
    ]);
  });

  it('does not depend on how often it is made, and refuses what is no supergraph', () => {
    const { supergraphSdl = '' } = compose([
      member('one', 'type Query { a: Int @tag(name: "staff") b: Int }'),
    ]);
    expect(filterSupergraph(supergraphSdl, staff)).toEqual(filterSupergraph(supergraphSdl, staff));
    expect(() => filterSupergraph('type Query {', staff)).toThrow('the supergraph cannot be read');
  });
});
