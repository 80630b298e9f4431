import { buildSchema, execute, type GraphQLSchema, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import type { EntityPlan, SystemPlan } from '../plan.ts';
import { compileEntitiesQuery } from './entities-query.ts';

const schema = buildSchema(`
  scalar _Any
  scalar DateTime
  union _Entity = Thing | Other
  type Query { _entities(representations: [_Any!]!): [_Entity]! thing: Thing }
  type Thing {
    id: ID! name: String size: Int share: Float isOpen: Boolean state: State at: DateTime
    tags: [String!] sizes: [Int] place: Place must: String! note(of: ID): String called: String other: Other
  }
  type Place { area: ID text: String must: Int! }
  type Other { id: ID! name: String }
  enum State { OPEN CLOSED }
`);
const entity = { type: 'Thing', keyField: 'id' } as EntityPlan;
const plan = {
  entities: new Map([
    ['Thing', entity],
    ['Other', { type: 'Other', keyField: 'id' } as EntityPlan],
  ]),
  fields: new Map([['Thing.called', { kind: 'call' }]]),
} as unknown as SystemPlan;

function compile(selection: string, around = (inner: string) => `query($r: [_Any!]!) { ${inner} }`) {
  const text = around(`_entities(representations: $r) { ... on Thing { ${selection} } }`);
  return compileEntitiesQuery(plan, schema, parse(text));
}

/** What execution makes of the row, and whether it found anything wrong with it. */
function executed(served: GraphQLSchema, selection: string, row: unknown) {
  const result = execute({
    schema: served,
    document: parse(`{ thing { ${selection} } }`),
    rootValue: { thing: row },
  });
  if (result instanceof Promise) throw new TypeError('expected an answer at once');
  return { value: (result.data as { thing: unknown } | null)?.thing, hasErrors: result.errors !== undefined };
}

const VALUES: readonly unknown[] = [
  null,
  undefined,
  '',
  'a',
  'OPEN',
  '7',
  0,
  7,
  -0.5,
  2 ** 31,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  10n,
  true,
  [],
  {},
  ['a'],
  [null],
  [1, 'a'],
  { area: 7, text: 'x', must: 1 },
  { area: 'x', must: null },
  new Date(0),
];
const FIELDS = ['id', 'name', 'size', 'share', 'isOpen', 'state', 'at', 'tags', 'sizes', 'must'];
const SELECTIONS = [...FIELDS, 'place { area text }', 'p: place { must __typename }', 'n: name __typename'];

describe('a question for entities that is compiled', () => {
  test.each(SELECTIONS)(
    'completes every value as execution does, or leaves it to execution: { %s }',
    (selection) => {
      const name = /^(?:\w+: )?(\w+)/.exec(selection)?.[1] ?? '';
      const query = compile(selection);
      expect(query).toBeDefined();
      let completed = 0;
      for (const value of VALUES) {
        const row = { [name]: value };
        const got = query?.complete(row);
        if (got === undefined) continue;
        completed += 1;
        const expected = executed(schema, selection, row);
        expect(expected.hasErrors, `${selection} of ${String(value)}`).toBe(false);
        expect(JSON.stringify(got)).toBe(JSON.stringify(expected.value));
      }
      expect(completed).toBeGreaterThan(0);
    },
  );

  test('leaves a value to execution that must be coerced, is of another type, or lacks', () => {
    for (const [selection, row] of [
      ['size', { size: '7' }],
      ['state', { state: 'SHUT' }],
      ['must', {}],
      ['place { must }', { place: {} }],
      ['tags', { tags: [null] }],
      ['name', { name: {} }],
    ] as const) {
      expect(compile(selection)?.complete(row), selection).toBeUndefined();
    }
  });

  test.each([
    'note',
    'note(of: 1)',
    'called',
    'other { id }',
    'name name',
    'name @skip(if: true)',
    '... { name }',
    'toString: name',
  ])('is not made of what its loader does not bring: { %s }', (selection) => {
    expect(compile(selection)).toBeUndefined();
  });

  test('is one field with one fragment, and nothing around it', () => {
    expect(compile('name', (inner) => `query($r: [_Any!]!) { ${inner} thing { id } }`)).toBeUndefined();
    expect(compile('name', (inner) => `query($r: [_Any!]!) @x { ${inner} }`)).toBeUndefined();
    expect(compile('name', (inner) => `query($r: [_Any!]!) { x: ${inner} }`)?.responseName).toBe('x');
  });
});
