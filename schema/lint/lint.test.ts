// Laws of lints: what composes and should not stand so is found, with its place, and is allowed by a sentence alone.
import { describe, expect, it } from 'vitest';
import { compose, type Subgraph } from '../compose.ts';
import { lintSubgraphs } from './lint.ts';
import { readMembers } from './lint-member.ts';
import { findForeignFields, findOwners } from './owners.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable", "@override", "@requiresScopes", "@policy", "@inaccessible", "@listSize"])`;

function member(name: string, sdl: string, more: Partial<Subgraph> = {}): Subgraph {
  return { name, url: `http://${name}.test/`, sdl: `${LINK}\n${sdl}`, ...more };
}

/** Of a graph that composes: `CODE coordinate`. */
function found(...subgraphs: readonly Subgraph[]): readonly string[] {
  const composition = compose(subgraphs);
  expect(composition.errors ?? []).toEqual([]);
  return lintSubgraphs(subgraphs).findings.map(({ code, coordinate }) => `${code} ${coordinate}`);
}

/** One system with a described type and field, so that nothing but what is asked is found. */
const described = (fields: string, type = 'Thing') =>
  member('one', `type Query { "It." it: ${type} }\n"A thing."\ntype ${type} { ${fields} }`);

describe('NOT_OWNER', () => {
  const home = member(
    'hotline',
    `type Query { "An order." order(id: ID!): Order }
    "An order." type Order @key(fields: "id") { id: ID! state: String @shareable title: String }`,
  );
  const other = (field: string) => member('archive', `type Order @key(fields: "id") { id: ID! ${field} }`);

  it('names the owner of a field of an entity that two systems answer, and both places', () => {
    const subgraphs = [other('state: String @shareable'), home];
    expect(found(...subgraphs)).toEqual(['NOT_OWNER Order.state']);
    const [finding] = lintSubgraphs(subgraphs).findings;
    expect(finding).toMatchObject({ level: 'ERROR', systems: ['archive', 'hotline'] });
    expect(finding?.message).toContain('its authoritative system is hotline');
    expect(finding?.locations.map(({ system, line }) => [system, line])).toEqual([
      ['archive', 2],
      ['hotline', 3],
    ]);
  });

  it('is not found for keys, external fields, shapes without a key, hidden fields and what was taken over', () => {
    expect(found(home, other('state: String @external more: String @requires(fields: "state")'))).toEqual([]);
    expect(found(home, other('title: String @override(from: "hotline")'))).toEqual([]);
    expect(found(home, other('state: String @shareable @inaccessible'))).toEqual([]);
    const page = '"A page." type Page @shareable { size: Int }';
    expect(
      found(
        member('one', `type Query { "It." one: Page } ${page}`),
        member('two', `type Query { "It." two: Page } ${page}`),
      ),
    ).toEqual([]);
  });

  it('is found for an entrance that two systems have', () => {
    const one = (name: string) => member(name, `type Query { "Now." now: String @shareable }`);
    expect(found(one('one'), one('two'))).toEqual(['NOT_OWNER Query.now']);
  });

  it('refuses what a proposed system would take from another, before anything is composed', () => {
    const owners = findOwners(readMembers([home]));
    const refused = (sdl: string, name = 'archive') =>
      findForeignFields(owners, readMembers([member(name, sdl)])[0] as never).map(
        ({ coordinate, message }) => `${coordinate}: ${message}`,
      );
    expect(refused('type Order @key(fields: "id") { id: ID! title: String box: Int }')).toEqual([
      'Order.title: its authoritative system is hotline: archive may have it as @external only',
    ]);
    expect(
      refused('type Order @key(fields: "id") { id: ID! title: String @override(from: "hotline") }'),
    ).toHaveLength(1);
    expect(refused('type Order @key(fields: "id") { id: ID! title: String }', 'hotline')).toEqual([]);
    expect(
      refused(
        'type Query { order(id: ID!): Order } type Order @key(fields: "id", resolvable: false) { id: ID! }',
      ),
    ).toHaveLength(1);
  });
});

describe('MISSING_DESCRIPTION', () => {
  it('wants one of types and of the entrances of the graph, and of nothing that speaks for itself', () => {
    const sdl = `type Query { a: Plain list(first: Int): PlainConnection kind: Kind told: Told }
      type Mutation { "Does." go(input: GoInput): String }
      input GoInput { a: Int }
      type Plain { a: Int }
      type PlainConnection { edges: [PlainEdge!] } type PlainEdge { node: Plain }
      enum Kind { A "Bee." B } enum Told { "Aye." A "Bee." B }
      scalar Odd`;
    expect(found(member('one', sdl))).toEqual([
      'MISSING_DESCRIPTION Query.a',
      'MISSING_DESCRIPTION Query.list',
      'MISSING_DESCRIPTION Query.kind',
      'MISSING_DESCRIPTION Query.told',
      'MISSING_DESCRIPTION GoInput',
      'MISSING_DESCRIPTION Plain',
      'MISSING_DESCRIPTION Kind',
      'MISSING_DESCRIPTION Odd',
    ]);
  });

  it('is content when one of the systems describes the type, and wants none where only a key stands', () => {
    const one = member(
      'one',
      'type Query { "It." t: T } "A tee." type T @key(fields: "id") { id: ID! a: Int }',
    );
    expect(found(one, member('two', 'type T @key(fields: "id") { id: ID! b: Int }'))).toEqual([]);
    const stub = member(
      'two',
      'type Query { "It." u: U } type U @key(fields: "id", resolvable: false) { id: ID! }',
    );
    const owner = member(
      'one',
      'type Query { "It." v: U } "A you." type U @key(fields: "id") { id: ID! a: Int }',
    );
    expect(found(owner, stub)).toEqual([]);
  });
});

describe('UNBOUNDED_LIST', () => {
  const part = '"A part." type Part { a: Int }';
  const list = (field: string) =>
    found(
      member(
        'one',
        `type Query { "They." ${field} } ${part}\n"Pages." type PartConnection { edges: [Part!] }`,
      ),
    );

  it.each([
    ['parts: [Part!]!', true],
    ['parts(kind: String): [Part]', true],
    ['parts: PartConnection', true],
    ['parts(first: Int): [Part]', false],
    ['parts(ids: [ID!]!): [Part]', false],
    ['parts(first: Int): PartConnection', false],
    ['parts: [Part] @listSize(assumedSize: 10)', false],
    ['names: [String!]', false],
  ])('%s: %s', (field, isFound) => {
    const name = field.split(/[(:]/)[0];
    expect(list(field)).toEqual(isFound ? [`UNBOUNDED_LIST Query.${name}`] : []);
  });

  it.each(['At most 50.', '最多50条', '不超过 100 条'])('takes the description for a bound: %s', (text) => {
    expect(found(member('one', `type Query { "${text}" parts: [Part] } ${part}`))).toEqual([]);
  });
});

describe('UNPROTECTED_PERSONAL_INFORMATION', () => {
  it.each([
    'phone: String',
    'reporterPhone: String',
    'identity_number: ID',
    'sfzh: String',
    '"联系人姓名" a: String',
    '"公民身份号码 (GB 11643)" b: ID',
    '"性别, GB/T 2261.1" c: String',
    '"May hold personal information." d: String',
    '"What the caller said, in their own words." e: String',
    '"行踪" f: [String!]',
  ])('is found for %s', (field) => {
    const name = field.replace(/^"[^"]*" /, '').split(':')[0];
    expect(found(described(field))).toEqual([`UNPROTECTED_PERSONAL_INFORMATION Thing.${name}`]);
  });

  it('is found for the name and the address of people, and not for those of places', () => {
    expect(found(described('name: String address: String', 'Citizen'))).toEqual([
      'UNPROTECTED_PERSONAL_INFORMATION Citizen.name',
      'UNPROTECTED_PERSONAL_INFORMATION Citizen.address',
    ]);
    expect(found(described('name: String address: String', 'Street'))).toEqual([]);
  });

  it.each([
    'phone: String @requiresScopes(scopes: [["personal-information:read"]])',
    'phone: String @policy(policies: [["p"]])',
    'phone: String @inaccessible ok: Int',
    'isPhone: Boolean',
    'GB: String',
  ])('is not found for %s', (field) => {
    expect(found(described(field))).toEqual([]);
  });

  it('is content when the type is protected, and with another name of the directive', () => {
    const type = '"A." type A @requiresScopes(scopes: [["s"]]) { phone: String }';
    expect(found(member('one', `type Query { "It." a: A } ${type}`))).toEqual([]);
    const renamed = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{ name: "@requiresScopes", as: "@needs" }])
      type Query { "It." a: A } "A." type A { phone: String @needs(scopes: [["s"]]) }`;
    expect(found({ name: 'one', url: 'http://one.test/', sdl: renamed })).toEqual([]);
  });
});

describe('an allowance', () => {
  const allowed = (sdl: string, more: Partial<Subgraph> = {}) => {
    const { findings, allowed: so } = lintSubgraphs([member('one', sdl, more)]);
    return {
      findings: findings.map(({ code, coordinate, message }) => `${code} ${coordinate}: ${message}`),
      reasons: so.map(({ problem, reason }) => `${problem.coordinate}: ${reason}`),
    };
  };
  const thing = (above: string) =>
    `type Query { "It." it: Thing }\n"A thing."\ntype Thing {\n${above}\n  phone: String\n}`;

  it('above a field, or above its description, allows it with its reason, which may go on', () => {
    const comment = '# lint-allow UNPROTECTED_PERSONAL_INFORMATION: of the desk,\n# not of a person';
    for (const sdl of [thing(comment), thing(`${comment}\n"Its phone."`)])
      expect(allowed(sdl)).toEqual({ findings: [], reasons: ['Thing.phone: of the desk, not of a person'] });
  });

  it('above a type allows all in it, above the schema all in the SDL', () => {
    const comment = '# lint-allow UNPROTECTED_PERSONAL_INFORMATION: desks';
    const type = thing('').replace('"A thing."', `${comment}\n"A thing."`);
    expect(allowed(type).findings).toEqual([]);
    const sdl = `${comment}\n${LINK}\n${thing('')}`;
    const whole = { name: 'one', url: 'http://one.test/', sdl };
    expect(lintSubgraphs([whole]).findings).toEqual([]);
  });

  it('does not reach another code, or another field', () => {
    const other = '# lint-allow UNBOUNDED_LIST: it is short\n  a: [Thing]';
    expect(allowed(thing(other)).findings).toEqual([expect.stringMatching(/^UNPROTECTED.* Thing\.phone/)]);
    const beside = '# lint-allow UNPROTECTED_PERSONAL_INFORMATION: a desk\n  a: String';
    expect(allowed(thing(beside)).findings).toHaveLength(2);
  });

  it.each([
    ['# lint-allow UNPROTECTED_PERSONAL_INFORMATION:', 'needs a reason'],
    ['# lint-allow NO_SUCH_LINT: because', 'there is no lint NO_SUCH_LINT'],
    ['# lint-allow UNBOUNDED_LIST: because', 'which is not found here: take it out'],
  ])('that is of no use is found itself: %s', (comment, complaint) => {
    const { findings } = allowed(thing(comment));
    expect(findings.filter((one) => one.startsWith('LINT_ALLOW_INVALID Thing.phone'))).toEqual([
      expect.stringContaining(complaint),
    ]);
    expect(findings.filter((one) => one.startsWith('UNPROTECTED'))).toHaveLength(1);
  });

  it('stands in the files of which the SDL was made', () => {
    const text = thing('# lint-allow UNPROTECTED_PERSONAL_INFORMATION: desks');
    const sources = [{ file: 'a.graphql', text }];
    expect(allowed(thing(''), { sources })).toEqual({ findings: [], reasons: ['Thing.phone: desks'] });
  });

  it('is found for NON_NULL_ACROSS_SYSTEMS as for the others', () => {
    const two = member('two', 'type Query { "It." b: Int }');
    const one = (comment: string) => member('one', `type Query {\n${comment}\n "It." a: Int! }`);
    expect(found(one(''), two)).toEqual(['NON_NULL_ACROSS_SYSTEMS Query.a']);
    expect(found(one('# lint-allow NON_NULL_ACROSS_SYSTEMS: it cannot fail'), two)).toEqual([]);
  });
});
