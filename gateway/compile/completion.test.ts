// Laws of the fast completion: on good data it gives what the slow one gives, on anything else it gives up.
import { buildSchema, Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createFieldCollector, type Variables } from '../execute/collect-fields.ts';
import { completeRoot } from '../execute/complete.ts';
import type { DataObject } from '../execute/data.ts';
import { createErrorList } from '../execute/error-list.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { compileCompletion, GIVEN_UP } from './completion.ts';

const schema = buildSchema(`
  scalar Json
  enum Colour { RED GREEN }
  interface Named { name: String! }
  type Cat implements Named { name: String! lives: Int colour: Colour }
  type Dog implements Named { name: String! weight: Float good: Boolean id: ID any: Json }
  union Pet = Cat | Dog
  type Query { pet: Pet named: [Named!]! dogs: [[Dog]] constructor: String dog: Dog }
`);

function planned(query: string): PlannedOperation {
  const document = parse(query, { noLocation: true });
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  const rootType = schema.getQueryType();
  if (operation === undefined || !rootType) throw new Error('no query');
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const extent = { fields: 0, aliases: 0, depth: 0, width: 0 };
  const plan = { steps: undefined, primary: undefined };
  return { document, operation, fragments, rootType, plan, access: undefined, usedRules: [], extent };
}

function both(query: string, data: DataObject, variables: Variables = {}) {
  const operation = planned(query);
  const errors = createErrorList('t', 10);
  const collector = createFieldCollector(schema, operation.fragments, variables);
  const slow = completeRoot(
    {
      access: undefined,
      schema,
      fullSchema: schema,
      collector,
      errors,
      depthMax: 20,
      systemOf: () => 's',
      notFound: () => undefined,
      introspection: {},
    },
    operation.rootType,
    collector.ofSelectionSet(operation.rootType, operation.operation.selectionSet),
    data,
  );
  const known = new Map(Object.entries(variables).map(([name, value]) => [name, value === true] as const));
  const run = (conditions: ReadonlyMap<string, boolean> | undefined) =>
    compileCompletion(schema, operation, conditions, 20)?.(data, variables, {});
  return { slow, errors: errors.toArray(), fast: [run(known), run(undefined)] };
}

const GOOD: DataObject = {
  pet: { __typename: 'Cat', n: 'c', name: 'c', lives: 9, colour: 'RED', hidden: 1 },
  named: [
    { __typename: 'Dog', name: 'd', weight: 1.5, good: true, id: 7, any: { deep: [1] } },
    { __typename: 'Cat', name: 'c', lives: null },
  ],
  dogs: [[{ name: 'x', weight: null }, null], null, []],
};

const DOG: DataObject = { dog: { name: 'x', id: '7' } };

describe('the fast completion', () => {
  it.each([
    '{ __typename pet { __typename ... on Named { n: name } ... on Cat { lives colour } } }',
    '{ named { name ...D ... on Cat { lives } } } fragment D on Dog { weight good id any name }',
    '{ dogs { name weight } again: dogs { id } dog { name } }',
    '{ constructor __proto__: constructor toString: constructor pet { then: __typename } }',
    'query ($a: Boolean, $b: Boolean) { pet { ... on Cat { name @include(if: $a) lives @skip(if: $b) } } pet @include(if: $a) { ... on Cat @include(if: $b) { colour } } ...F @skip(if: $b) } fragment F on Query { named { name @skip(if: $a) __typename } }',
  ])('gives what the slow one gives: %s', (query) => {
    for (const a of [true, false]) {
      for (const b of [true, false]) {
        const { slow, errors, fast } = both(query, GOOD, { a, b });
        expect(errors).toEqual([]);
        // In the order of the selection too.
        for (const data of fast) expect(JSON.stringify(data)).toBe(JSON.stringify(slow));
      }
    }
  });

  it('leaves it to the slow one where conditions that are not known decide the order of fields', () => {
    for (const a of [true, false]) {
      const { slow, fast } = both('query ($a: Boolean) { dog { id @skip(if: $a) name id } }', DOG, { a });
      expect(JSON.stringify(slow)).toBe(`{"dog":${a ? '{"name":"x","id":"7"}' : '{"id":"7","name":"x"}'}}`);
      expect(JSON.stringify(fast[0])).toBe(JSON.stringify(slow));
      expect(fast[1]).toBeUndefined();
    }
  });

  it.each<[string, string, DataObject]>([
    ['a null where none may be', '{ named { name } }', { named: [{ __typename: 'Cat', name: null }] }],
    ['no list', '{ dogs { id } }', { dogs: {} }],
    ['a list too many', '{ dog { id } }', { dog: [] }],
    ['a scalar where an object belongs', '{ dog { id } }', { dog: 'x' }],
    ['no type name', '{ pet { ... on Cat { lives } } }', { pet: { lives: 1 } }],
    ['a type that is none of the union', '{ pet { __typename } }', { pet: { __typename: 'Query' } }],
    [
      'another type name than that of the position',
      '{ dog { id } }',
      { dog: { __typename: 'Cat', id: 'x' } },
    ],
    ['an inherited type name', '{ pet { __typename } }', { pet: { __typename: 'constructor' } }],
    [
      'an Int with a fraction',
      '{ pet { ... on Cat { lives } } }',
      { pet: { __typename: 'Cat', lives: 1.5 } },
    ],
    ['an Int too large', '{ pet { ... on Cat { lives } } }', { pet: { __typename: 'Cat', lives: 2 ** 40 } }],
    [
      'an unknown value of an enum',
      '{ pet { ... on Cat { colour } } }',
      { pet: { __typename: 'Cat', colour: 'PINK' } },
    ],
    ['a text for a number', '{ dog { weight } }', { dog: { weight: '1' } }],
    ['a number for a text', '{ dog { name } }', { dog: { name: 1 } }],
    ['a text for a truth', '{ dog { good } }', { dog: { good: 'true' } }],
    ['an object for an ID', '{ dog { id } }', { dog: { id: {} } }],
    [
      'a scalar nested too deep',
      '{ dog { any } }',
      { dog: { any: JSON.parse(`${'['.repeat(30)}${']'.repeat(30)}`) } },
    ],
  ])('gives up at %s, and the slow one says why', (_title, query, data) => {
    const { fast, errors } = both(query, data);
    expect(fast).toEqual([GIVEN_UP, GIVEN_UP]);
    expect(errors).toHaveLength(1);
  });

  it('writes no code for an operation of more fields and types than its limit', () => {
    const fields = Array.from({ length: 6_000 }, (_, index) => `f${index}: name`).join(' ');
    expect(compileCompletion(schema, planned(`{ named { ${fields} } }`), undefined, 20)).toBeUndefined();
  });
});
