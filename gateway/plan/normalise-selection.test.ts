// Laws of normalised selections: planners meet each field and type once, and what can never be they do not meet.
import { buildSchema, type FragmentDefinitionNode, Kind, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { operationOf } from './fetch-text.ts';
import { normaliseSelection, orderVariables } from './normalise-selection.ts';

const schema = buildSchema(`
  type Query { a: A b: B i: I u: U }
  interface I { n: Int i: I }
  type A implements I { n: Int i: I m: Int a: A }
  type B implements I { n: Int i: I o: Int }
  union U = A | B
`);

function normalised(text: string): string {
  const document = parse(text, { noLocation: true });
  const fragments = new Map(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const query = schema.getQueryType();
  if (query === null || query === undefined) throw new Error('expected a query type');
  const selection = normaliseSelection(schema, fragments, query, operationOf(document).selectionSet);
  return print(selection).replace(/\s+/g, ' ');
}

describe('normaliseSelection', () => {
  it('leaves out fragments whose type no object there can have, however deep the contradiction', () => {
    expect(normalised('{ i { n ... on A { ... on I { ... on B { o } } } } }')).toBe('{ i { n } }');
    expect(normalised('{ a { ... on I { ... on B { o } } } }')).toBe('{ a { __typename } }');
    expect(normalised('{ i { ... on A { i { ... on B { o } } } } }')).toBe(
      '{ i { ... on A { i { ... on B { o } } } } }',
    );
  });

  it('leaves out what literal or contradicting conditions exclude', () => {
    const text =
      'query ($v: Boolean!) { a { n m @skip(if: true) ... @include(if: $v) { i @skip(if: $v) { n } } } }';
    expect(normalised(text)).toBe('{ a { n } }');
  });

  it('opens fragments that restrict nothing, and spreads, their conditions put on what they hold', () => {
    const text =
      'query ($v: Boolean!) { a { ...F @include(if: $v) } u { ... on I { n } } } fragment F on I { n ... on A { m } }';
    expect(normalised(text)).toBe('{ a { n @include(if: $v) m @include(if: $v) } u { ... on I { n } } }');
  });

  it('merges what is written twice, and conditions keep to what they were on', () => {
    const text = 'query ($v: Boolean!) { a @include(if: $v) { n m } a { n a { m } } a { a { n: n } } }';
    expect(normalised(text)).toBe('{ a { n m @include(if: $v) a { m n } } }');
    const nested =
      'query ($v: Boolean!) { i { ... on A { ... on A @include(if: $v) { m } n } ... on A @skip(if: $v) { a { n } } } }';
    expect(normalised(nested)).toBe('{ i { ... on A { m @include(if: $v) n a @skip(if: $v) { n } } } }');
  });

  it('keeps fields apart whose conditions do not imply each other', () => {
    const text = 'query ($v: Boolean!, $w: Boolean!) { a @include(if: $v) { n } a @include(if: $w) { m } }';
    expect(normalised(text)).toBe('{ a @include(if: $v) { n } a @include(if: $w) { m } }');
  });

  it('needs both of two conditions that cannot stand on one field', () => {
    const text = 'query ($v: Boolean!, $w: Boolean!) { a { ... @include(if: $v) { n @include(if: $w) } } }';
    expect(normalised(text)).toBe('{ a { ... on A @include(if: $w) { n @include(if: $v) } } }');
  });

  it('keeps what is deferred apart from what is not', () => {
    expect(normalised('{ a { n ... @defer(label: "x") { n m } ... on A @defer { m } } }')).toBe(
      '{ a { n ... @defer(label: "x") { n m } ... on A @defer { m } } }',
    );
  });
});

describe('what variables decide', () => {
  const rootFields = 'mutation ($v: Boolean!, $w: Boolean!)';
  const read = (text: string) => {
    const document = parse(text, { noLocation: true });
    return operationOf(document).selectionSet;
  };
  const root = schema.getQueryType();
  if (root === null || root === undefined) throw new Error('expected a query type');

  it('is the order of fields where the first place of one may not count', () => {
    const names = (text: string) => orderVariables(schema, new Map(), root, read(`${rootFields} ${text}`));
    expect(names('{ a @include(if: $v) { n } b { n } a { m } }')).toEqual(['v']);
    expect(names('{ ... @skip(if: $w) { a @include(if: $v) { n } } b { n } a { m } }')).toEqual(['w', 'v']);
    expect(names('{ a { n } b @include(if: $v) { n } a @include(if: $v) { m } }')).toEqual([]);
    expect(names('{ a @include(if: $v) { n } b { n } }')).toEqual([]);
  });

  it('goes by the places that count where their values are known', () => {
    const known = (value: boolean) =>
      print(
        normaliseSelection(
          schema,
          new Map(),
          root,
          read(`${rootFields} { a @include(if: $v) { n } b { n @skip(if: $v) } a { m } }`),
          new Map([['v', value]]),
        ),
      ).replace(/\s+/g, ' ');
    expect(known(true)).toBe('{ a { n m } b { n @skip(if: $v) } }');
    expect(known(false)).toBe('{ b { n @skip(if: $v) } a { m } }');
  });
});
