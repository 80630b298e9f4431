// Laws of checks: what is used decides, validation has the last word, and the verdict says whom it breaks and when that ran.
import { findBreakingChanges, Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildApiSchema } from '../api-schema.ts';
import { compose } from '../compose.ts';
import { describeOperation } from '../operations/describe-operation.ts';
import { type CheckReport, checkSupergraph } from './check.ts';
import { printReport } from './print-report.ts';
import type { OperationUse } from './used-operations.ts';

const BASE = `
  type Query { incident(id: ID!, lang: String, by: Filter): Incident any: Any node: Node list(first: Int = 10, kind: Kind): [Incident] }
  type Mutation { report(input: Report!): Incident }
  interface Node { id: ID! }
  type Incident implements Node { id: ID! title: String! state: State place: Place old: String }
  type Place { name: String area: String }
  type Order implements Node { id: ID! number: String }
  union Any = Incident | Order
  enum State { OPEN CLOSED }
  enum Kind { A B }
  input Filter { text: String kind: Kind }
  input Report { title: String! kind: Kind place: PlaceInput }
  input PlaceInput { name: String }
`;

function supergraphOf(sdl: string): string {
  const result = compose([{ name: 'one', url: 'http://one.test/', sdl }]);
  if (result.errors !== undefined) throw new Error(result.errors.map(({ message }) => message).join('\n'));
  return result.supergraphSdl;
}

const BEFORE = supergraphOf(BASE);
const NOW = new Date('2026-11-28T10:00:00Z');

function use(text: string, more: Partial<OperationUse> = {}): OperationUse {
  const document = parse(text);
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  const described = describeOperation(buildApiSchema(BEFORE), document, operation);
  return {
    ...described,
    clientName: 'dashboard',
    clientVersion: '1.4.0',
    count: 5,
    lastSeen: NOW,
    ...more,
  };
}

/** Each pair is replaced in the schema. */
function changed(...pairs: readonly (readonly [string, string])[]): string {
  let sdl = BASE;
  for (const [from, to] of pairs) {
    expect(sdl).toContain(from);
    sdl = sdl.replace(from, to);
  }
  return supergraphOf(sdl);
}

function check(after: string, ...operations: readonly (string | OperationUse)[]): Promise<CheckReport> {
  const uses = operations.map((one) => (typeof one === 'string' ? use(one) : one));
  return checkSupergraph({ before: BEFORE, after, uses });
}

const outcome = (report: CheckReport) =>
  report.changes.map(({ code, coordinate, effect }) => `${effect} ${code} ${coordinate}`);

/** Without what the library guesses was meant. */
const withoutGuess = (error = '') => error.replace(/ Did you mean .*$/, '');

const READ = '{ incident(id: 1) { id title } }';

describe('a check', () => {
  it.each<[string, string, readonly [string, string][], string[], string[]]>([
    [
      'a removed field that is used',
      '{ incident(id: 1) { old } }',
      [['old: String', '']],
      ['BREAKS FIELD_REMOVED Incident.old'],
      ['Cannot query field "old" on type "Incident".'],
    ],
    [
      'a removed field that nobody uses',
      READ,
      [['old: String', '']],
      ['UNUSED FIELD_REMOVED Incident.old'],
      [],
    ],
    [
      'an answer that may now be null',
      READ,
      [['title: String!', 'title: String']],
      ['BREAKS FIELD_TYPE_CHANGED Incident.title'],
      [''],
    ],
    [
      'an answer that can no longer be null',
      '{ incident(id: 1) { old } }',
      [['old: String', 'old: String!']],
      ['SAFE FIELD_TYPE_CHANGED Incident.old'],
      [],
    ],
    [
      'another leaf',
      READ,
      [['title: String!', 'title: Int!']],
      ['BREAKS FIELD_TYPE_CHANGED Incident.title'],
      [''],
    ],
    [
      'another leaf that nobody reads',
      '{ incident(id: 1) { id } }',
      [['title: String!', 'title: Int!']],
      ['UNUSED FIELD_TYPE_CHANGED Incident.title'],
      [],
    ],
    [
      'another object with all that is read',
      '{ incident(id: 1) { place { name } } }',
      [
        ['place: Place', 'place: Site'],
        ['type Place {', 'type Site { name: String } type Place {'],
        ['by: Filter): Incident', 'by: Filter): Incident p: Place'],
      ],
      ['UNUSED FIELD_TYPE_CHANGED Incident.place', 'SAFE FIELD_ADDED Query.p', 'SAFE TYPE_ADDED Site'],
      [],
    ],
    [
      'another object whose name is read',
      '{ incident(id: 1) { place { __typename name } } }',
      [
        ['place: Place', 'place: Site'],
        ['type Place {', 'type Site { name: String } type Place {'],
        ['by: Filter): Incident', 'by: Filter): Incident p: Place'],
      ],
      ['BREAKS FIELD_TYPE_CHANGED Incident.place', 'SAFE FIELD_ADDED Query.p', 'SAFE TYPE_ADDED Site'],
      [''],
    ],
    [
      'another object without what is read',
      '{ incident(id: 1) { place { area } } }',
      [
        ['place: Place', 'place: Site'],
        ['type Place {', 'type Site { name: String } type Place {'],
        ['by: Filter): Incident', 'by: Filter): Incident p: Place'],
      ],
      ['BREAKS FIELD_TYPE_CHANGED Incident.place', 'SAFE FIELD_ADDED Query.p', 'SAFE TYPE_ADDED Site'],
      ['Cannot query field "area" on type "Site".'],
    ],
    [
      'an argument that may be left out',
      READ,
      [['lang: String', 'lang: String more: Int']],
      ['SAFE FIELD_ARGUMENT_ADDED Query.incident(more:)'],
      [],
    ],
    [
      'an argument that must be given',
      READ,
      [['lang: String', 'lang: String more: Int!']],
      ['BREAKS FIELD_ARGUMENT_ADDED Query.incident(more:)'],
      ['Field "incident" argument "more" of type "Int!" is required, but it was not provided.'],
    ],
    [
      'an argument that must now be given',
      READ,
      [['lang: String', 'lang: String!']],
      ['BREAKS FIELD_ARGUMENT_TYPE_CHANGED Query.incident(lang:)'],
      ['Field "incident" argument "lang" of type "String!" is required, but it was not provided.'],
    ],
    [
      'an argument that must now be given, and is',
      '{ incident(id: 1, lang: "zh") { id } }',
      [['lang: String', 'lang: String!']],
      ['UNUSED FIELD_ARGUMENT_TYPE_CHANGED Query.incident(lang:)'],
      [],
    ],
    [
      'an argument of another type',
      'query Q($l: String) { incident(id: 1, lang: $l) { id } }',
      [['lang: String', 'lang: Int']],
      ['BREAKS FIELD_ARGUMENT_TYPE_CHANGED Query.incident(lang:)'],
      ['Variable "$l" of type "String" used in position expecting type "Int".'],
    ],
    [
      'a removed argument that is given',
      '{ incident(id: 1, lang: "zh") { id } }',
      [['lang: String', '']],
      ['BREAKS FIELD_ARGUMENT_REMOVED Query.incident(lang:)'],
      ['Unknown argument "lang" on field "Query.incident".'],
    ],
    [
      'a removed argument that nobody gives',
      READ,
      [['lang: String', '']],
      ['UNUSED FIELD_ARGUMENT_REMOVED Query.incident(lang:)'],
      [],
    ],
    [
      'another default where the argument is left out',
      '{ list { id } }',
      [['first: Int = 10', 'first: Int = 20']],
      ['NOTICED FIELD_ARGUMENT_DEFAULT_CHANGED Query.list(first:)'],
      [],
    ],
    [
      'another default where the argument is given',
      '{ list(first: 3) { id } }',
      [['first: Int = 10', 'first: Int = 20']],
      ['SAFE FIELD_ARGUMENT_DEFAULT_CHANGED Query.list(first:)'],
      [],
    ],
    [
      'a new enum value in answers',
      '{ incident(id: 1) { state } }',
      [['OPEN CLOSED', 'OPEN CLOSED LOST']],
      ['NOTICED ENUM_VALUE_ADDED State.LOST'],
      [],
    ],
    [
      'a new enum value that nobody reads',
      READ,
      [['OPEN CLOSED', 'OPEN CLOSED LOST']],
      ['SAFE ENUM_VALUE_ADDED State.LOST'],
      [],
    ],
    [
      'an enum value that answers have no more',
      '{ incident(id: 1) { state } }',
      [['OPEN CLOSED', 'OPEN']],
      ['UNUSED ENUM_VALUE_REMOVED State.CLOSED'],
      [],
    ],
    [
      'an enum value that is no longer taken',
      '{ list(kind: B) { id } }',
      [['A B', 'A']],
      ['BREAKS ENUM_VALUE_REMOVED Kind.B'],
      ['Value "B" does not exist in "Kind" enum.'],
    ],
    [
      'an enum value that nobody gives',
      '{ list(kind: A) { id } }',
      [['A B', 'A']],
      ['UNUSED ENUM_VALUE_REMOVED Kind.B'],
      [],
    ],
    [
      'an enum value that a variable may bring',
      'query Q($k: Kind) { list(kind: $k) { id } }',
      [['A B', 'A']],
      ['BREAKS ENUM_VALUE_REMOVED Kind.B'],
      [''],
    ],
    [
      'an input field that a variable may bring',
      'mutation M($i: Report!) { report(input: $i) { id } }',
      [['input PlaceInput { name: String }', 'input PlaceInput { place: String }']],
      ['BREAKS INPUT_FIELD_REMOVED PlaceInput.name', 'SAFE INPUT_FIELD_ADDED PlaceInput.place'],
      [''],
    ],
    [
      'an input field that a literal names',
      '{ incident(id: 1, by: { text: "x" }) { id } }',
      [['input Filter { text: String', 'input Filter {']],
      ['BREAKS INPUT_FIELD_REMOVED Filter.text'],
      ['Field "text" is not defined by type "Filter".'],
    ],
    [
      'an input field that no literal names',
      '{ incident(id: 1, by: { kind: A }) { id } }',
      [['input Filter { text: String', 'input Filter {']],
      ['UNUSED INPUT_FIELD_REMOVED Filter.text'],
      [],
    ],
    [
      'an input field that must be given, to a variable',
      'mutation M($i: Report!) { report(input: $i) { id } }',
      [['title: String! kind', 'title: String! at: Int! kind']],
      ['BREAKS INPUT_FIELD_ADDED Report.at'],
      [''],
    ],
    [
      'an input field that must be given, to a literal',
      'mutation { report(input: { title: "x" }) { id } }',
      [['title: String! kind', 'title: String! at: Int! kind']],
      ['BREAKS INPUT_FIELD_ADDED Report.at'],
      ['Field "Report.at" of required type "Int!" was not provided.'],
    ],
    [
      'an input field that may be left out',
      'mutation M($i: Report!) { report(input: $i) { id } }',
      [['title: String! kind', 'title: String! at: Int kind']],
      ['SAFE INPUT_FIELD_ADDED Report.at'],
      [],
    ],
    [
      'a union member that is asked for',
      '{ any { ... on Order { number } } }',
      [['union Any = Incident | Order', 'union Any = Incident']],
      ['BREAKS UNION_MEMBER_REMOVED Any'],
      ['Fragment cannot be spread here as objects of type "Any" can never be of type "Order".'],
    ],
    [
      'a union member that nobody asks for',
      '{ any { ... on Incident { id } } }',
      [['union Any = Incident | Order', 'union Any = Incident']],
      ['UNUSED UNION_MEMBER_REMOVED Any'],
      [],
    ],
    [
      'a new union member',
      '{ any { __typename } }',
      [['union Any = Incident | Order', 'union Any = Incident | Order | Place']],
      ['NOTICED UNION_MEMBER_ADDED Any'],
      [],
    ],
    [
      'an interface that a type no longer has',
      '{ node { ... on Order { number } } }',
      [['type Order implements Node', 'type Order']],
      ['BREAKS OBJECT_TYPE_INTERFACE_REMOVED Order'],
      ['Fragment cannot be spread here as objects of type "Node" can never be of type "Order".'],
    ],
    [
      'a new implementation',
      '{ node { id } }',
      [['type Place {', 'type Place implements Node { id: ID!']],
      ['NOTICED OBJECT_TYPE_INTERFACE_ADDED Place', 'SAFE FIELD_ADDED Place.id'],
      [],
    ],
    [
      'an implementation that promises less than the interface asks',
      '{ node { id } }',
      [
        [
          'type Order implements Node { id: ID! number: String',
          'type Order implements Node { id: ID! number: Int',
        ],
      ],
      ['UNUSED FIELD_TYPE_CHANGED Order.number'],
      [],
    ],
    [
      'a field more',
      READ,
      [['old: String', 'old: String new: String']],
      ['SAFE FIELD_ADDED Incident.new'],
      [],
    ],
    [
      'a field that is deprecated',
      READ,
      [['old: String', 'old: String @deprecated(reason: "gone soon")']],
      ['SAFE FIELD_DEPRECATION_ADDED Incident.old'],
      [],
    ],
  ])('weighs %s', async (_what, operation, pairs, effects, errors) => {
    const after = changed(...pairs);
    const report = await check(after, operation);
    expect(outcome(report)).toEqual(effects);
    expect(report.broken.map((one) => withoutGuess(one.errors[0]))).toEqual(errors);
    expect(report.passes).toBe(errors.length === 0);
    // An outside judge: what it holds for breaking is so here, whoever uses it.
    const judged = findBreakingChanges(buildApiSchema(BEFORE), buildApiSchema(after)).length > 0;
    expect(report.changes.some(({ level }) => level === 'BREAKING')).toBe(judged);
  });

  it('says of a removed field whom it breaks, and when that last ran', async () => {
    const text = 'query Latest { incident(id: 1) { old } }';
    const report = await check(
      changed(['old: String', '']),
      use(text, { clientVersion: '1.3.0', count: 1, lastSeen: new Date('2026-11-20T00:00:00Z') }),
      use(text),
    );
    expect(report.broken).toMatchObject([
      { operation: { name: 'Latest', count: 6, lastSeen: NOW }, coordinates: ['Incident.old'] },
    ]);
    const [verdict, broken] = printReport(report);
    expect(verdict).toBe('refused: 1 of 1 used operation would be broken');
    expect(broken).toMatch(
      /^breaks Latest \([0-9a-f]{12}\) of dashboard 1\.4\.0 and 1 more, last run 2026-11-28T10:00:00\.000Z, 6 times: Cannot query field "old"/,
    );
  });

  it('names each change that breaks an operation, and none that it does not use', async () => {
    const after = changed(['old: String', ''], ['title: String!', 'title: String'], ['A B', 'A']);
    const report = await check(after, '{ incident(id: 1) { old } }', READ, '{ list(kind: B) { id } }');
    const by = report.changes.map(({ coordinate, operations }) => [coordinate, operations.length]);
    expect(by).toEqual([
      ['Incident.old', 1],
      ['Incident.title', 1],
      ['Kind.B', 1],
    ]);
    expect(new Set(report.broken.flatMap(({ coordinates }) => coordinates))).toEqual(
      new Set(['Incident.old', 'Incident.title', 'Kind.B']),
    );
  });

  it('goes by fragments and interfaces as the operation does', async () => {
    const text = `query Q { node { ...Parts } any { ...Parts } } fragment Parts on Node { id ... on Incident { old } }`;
    const report = await check(changed(['old: String', '']), text, '{ node { id } }');
    expect(report.broken.map(({ operation }) => operation.name)).toEqual(['Q']);
  });

  it('sees what a type loses while it gains something', async () => {
    const after = changed(['type Place { name: String', 'type Place implements Node { id: ID!']);
    const report = await check(after, '{ incident(id: 1) { place { name } } }');
    expect(outcome(report)).toContain('BREAKS FIELD_REMOVED Place.name');
  });

  it('is not asked by what was not valid before', async () => {
    const stale = { ...use(READ), hash: 'a', document: '{ gone { id } }' };
    const broken = { ...use(READ), hash: 'b', document: 'no GraphQL {' };
    const report = await check(changed(['old: String', '']), stale, broken, READ);
    expect(report.operations).toEqual({ checked: 1, passedOver: 0, invalidBefore: 2, notChecked: 0 });
    expect(report.passes).toBe(true);
  });

  it('passes what is new, and what is equal, unread', async () => {
    for (const before of [undefined, BEFORE]) {
      const report = await checkSupergraph({ before, after: BEFORE, uses: [use(READ)] });
      expect(report).toMatchObject({ passes: true, changes: [], broken: [] });
    }
  });

  it('refuses what is no supergraph', async () => {
    await expect(checkSupergraph({ before: BEFORE, after: 'type Query {', uses: [] })).rejects.toThrow(
      'the supergraph cannot be read',
    );
  });
});

describe('what counts as used', () => {
  const after = () => changed(['old: String', '']);
  const text = '{ incident(id: 1) { old } }';
  const run = async (
    uses: readonly OperationUse[],
    filter: Parameters<typeof checkSupergraph>[0]['filter'],
  ) => {
    const report = await checkSupergraph({ before: BEFORE, after: after(), uses, filter });
    return [report.passes, report.operations.passedOver];
  };

  it('is younger than the window', async () => {
    expect(await run([use(text)], { from: new Date('2026-11-28T10:00:00.001Z') })).toEqual([true, 1]);
    expect(await run([use(text)], { from: NOW })).toEqual([false, 0]);
  });

  it('was used as often as the threshold says, by all clients together', async () => {
    const twice = [use(text, { count: 2 }), use(text, { count: 2, clientName: 'grid-app' })];
    expect(await run(twice, { countMin: 5 })).toEqual([true, 1]);
    expect(await run(twice, { countMin: 4 })).toEqual([false, 0]);
  });

  it('was used by a client that is not excluded, by name or by name and version', async () => {
    const both = [use(text), use(text, { clientVersion: '2.0.0' })];
    expect(await run(both, { excludedClients: ['dashboard'] })).toEqual([true, 1]);
    expect(await run(both, { excludedClients: ['dashboard@1.4.0'] })).toEqual([false, 0]);
    expect(await run([use(text)], { excludedClients: ['dashboard@1.4.0'] })).toEqual([true, 1]);
    expect(await run([use(text, { clientName: null })], { excludedClients: ['dashboard'] })).toEqual([
      false,
      0,
    ]);
  });
});
