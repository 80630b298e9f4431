// Laws of described operations: equal for all that ask the same, without what was asked of, with every coordinate used.
import { createHash } from 'node:crypto';
import { buildSchema, type DocumentNode, Kind, type OperationDefinitionNode, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { describeOperation } from './describe-operation.ts';

const schema = buildSchema(`
  type Query {
    incidents(division: ID, filter: Filter, first: Int, states: [State!]): [Incident!]
    node(id: ID!): Node
    anything: Anything
  }
  type Mutation { report(input: ReportInput!): Incident }
  interface Node { id: ID! notes(first: Int): [String!] }
  type Incident implements Node { id: ID! title: String state: State notes(first: Int): [String!] }
  type Order implements Node { id: ID! number: ID notes(first: Int): [String!] }
  union Anything = Incident | Order
  enum State { OPEN CLOSED }
  enum Channel { PHONE WEB }
  input Filter { state: State text: String not: Filter }
  input ReportInput { title: String! place: PlaceInput channel: Channel }
  input PlaceInput { longitude: Float latitude: Float }
`);

function operationIn(document: DocumentNode): OperationDefinitionNode {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('no operation');
  return operation;
}

function described(text: string) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const result = describeOperation(schema, document, operationIn(document));
  expect(validate(schema, parse(result.document))).toEqual([]);
  return result;
}

describe('the normalised text', () => {
  it('has no literal of the client: neither numbers nor text nor how many there are', () => {
    const one = described('{ incidents(division: "320508", first: 20, filter: { text: "王小明" }) { id } }');
    const other = described('{ incidents(division: "1", first: 3, filter: { text: """x""" }) { id } }');
    expect(one.document).toBe(other.document);
    expect(one.document).toContain('incidents(division: "", filter: {text: ""}, first: 0)');
    const number = described('{ incidents(division: 320508, first: 1) { id } }');
    expect(number.document).not.toContain('320508');
    const lists = ['[OPEN, CLOSED]', '[CLOSED, OPEN, OPEN]'].map(
      (states) => described(`{ incidents(states: ${states}) { id } }`).hash,
    );
    expect(new Set(lists).size).toBe(1);
  });

  it('keeps enum values, booleans and nulls, which decide what is used', () => {
    const { document } = described(
      '{ incidents(filter: { state: OPEN, text: null }) { id @skip(if: true) title } }',
    );
    expect(document).toContain('{state: OPEN, text: null}');
    expect(document).toContain('id @skip(if: true)');
  });

  it('takes the literals out of what variables are by default', () => {
    const { document } = described('query Q($t: String = "秘密") { incidents(filter: { text: $t }) { id } }');
    expect(document).toContain('$t: String = ""');
  });

  it('does not depend on order, layout, repetition or fragments that are not spread', () => {
    const one =
      described(`query Q($a: ID, $b: Int) { incidents(division: $a, first: $b) { id ...More ...Less title } }
      fragment More on Incident { state title } fragment Less on Incident { id }`);
    const other = described(`fragment Less on Incident { id }
      fragment More on Incident { title state }
      query Q($b: Int, $a: ID) { incidents(first: $b, division: $a) { ...Less title title ...More # all of it
        id } }`);
    expect(other).toEqual(one);
    const document = parse(
      'query Q { anything { __typename } } query R { node(id: 1) { ...N } } fragment N on Node { id }',
    );
    expect(describeOperation(schema, document, operationIn(document)).document).toBe(
      'query Q {\n  anything {\n    __typename\n  }\n}',
    );
  });

  it('tells apart what asks for something else', () => {
    const texts = [
      'query A { incidents { id } }',
      'query B { incidents { id } }',
      'query A { incidents { i: id } }',
      'query A { incidents(first: 1) { id } }',
      'query A($s: Boolean!) { incidents { id @skip(if: $s) } }',
      'query A { incidents { id title } }',
    ];
    expect(new Set(texts.map((text) => described(text).hash)).size).toBe(texts.length);
  });

  it('normalises what is normalised to itself, and hashes what it prints', () => {
    const first = described(
      '{ b: node(id: "2") { id ... on Order { number } ... on Incident { title state } } a: node(id: "1") { id } }',
    );
    const again = described(first.document);
    expect(again).toEqual(first);
    expect(first.hash).toBe(createHash('sha256').update(first.document, 'utf8').digest('hex'));
  });
});

describe('the coordinates', () => {
  const coordinates = (text: string) => described(text).coordinates;

  it('are fields, arguments, input fields and enum values, each once and in order', () => {
    expect(coordinates('{ incidents(filter: { state: OPEN }) { id id state __typename } }')).toEqual([
      'Filter.state',
      'Incident.id',
      'Incident.state',
      'Query.incidents',
      'Query.incidents(filter:)',
      'State.OPEN',
    ]);
  });

  it('take a field of an interface, and its arguments, for every type that implements it', () => {
    expect(coordinates('{ node(id: 1) { notes(first: 2) } }')).toEqual([
      'Incident.notes',
      'Incident.notes(first:)',
      'Node.notes',
      'Node.notes(first:)',
      'Order.notes',
      'Order.notes(first:)',
      'Query.node',
      'Query.node(id:)',
    ]);
  });

  it('take a field behind a type condition for that type alone, through fragments and unions', () => {
    const used = coordinates(
      '{ anything { ...O ... on Incident { title } } } fragment O on Order { number }',
    );
    expect(used).toEqual(['Incident.title', 'Order.number', 'Query.anything']);
  });

  it('take of a variable all that its type can hold, at any depth', () => {
    const used = coordinates('mutation M($input: ReportInput!) { report(input: $input) { id } }');
    expect(used).toEqual([
      'Channel.PHONE',
      'Channel.WEB',
      'Incident.id',
      'Mutation.report',
      'Mutation.report(input:)',
      'PlaceInput.latitude',
      'PlaceInput.longitude',
      'ReportInput.channel',
      'ReportInput.place',
      'ReportInput.title',
    ]);
    expect(coordinates('query Q($f: Filter) { incidents(filter: { not: $f }) { id } }')).toEqual(
      expect.arrayContaining(['Filter.not', 'Filter.state', 'Filter.text', 'State.OPEN', 'State.CLOSED']),
    );
  });

  it('do not take input fields and values that a literal does not name', () => {
    const used = coordinates('mutation { report(input: { title: "x", channel: WEB }) { id } }');
    expect(used.filter((one) => /^(ReportInput|Channel|PlaceInput)/.test(one))).toEqual([
      'Channel.WEB',
      'ReportInput.channel',
      'ReportInput.title',
    ]);
  });

  it('are those of the operation that is asked for, and of the fragments that it spreads', () => {
    const document = parse(`query A { anything { ...O } } query B { node(id: 1) { id } }
      fragment O on Order { number } fragment I on Incident { title }`);
    expect(describeOperation(schema, document, operationIn(document)).coordinates).toEqual([
      'Order.number',
      'Query.anything',
    ]);
  });
});
