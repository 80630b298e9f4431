// Laws of representations: JSON text of what is required, each distinct one once.
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { DataObject } from '../execute/data.ts';
import type { FetchStep, RequiredSelection } from '../plan/planner.ts';
import { compileRepresentations } from './representations.ts';

const schema = buildSchema(`
  interface Medium { id: ID! }
  type Book implements Medium { id: ID! isbn: String size: Size pages: [Page] }
  type Film implements Medium { id: ID! }
  type Size { w: Int h: Int }
  interface Page { n: Int }
  type Text implements Page { n: Int words: Int }
  type Plate implements Page { n: Int colours: Int }
  type Query { media: [Medium] }
`);

const field = (
  name: string,
  selections?: readonly RequiredSelection[],
  sentAs?: string,
): RequiredSelection => ({
  kind: 'field',
  name,
  sentAs,
  selections,
});
const on = (typeCondition: string, ...selections: readonly RequiredSelection[]): RequiredSelection => ({
  kind: 'fragment',
  typeCondition,
  selections,
});

function build(
  requires: readonly RequiredSelection[],
  objects: readonly DataObject[],
  inputRewrites: FetchStep['inputRewrites'] = [],
) {
  const { add, createBatch } = compileRepresentations(schema, { system: 's', requires, inputRewrites });
  const batch = createBatch();
  const numbers = add(batch, objects);
  return { numbers, values: batch.texts.map((text) => JSON.parse(text)) };
}

const BOOK = on('Book', field('__typename'), field('id'));

describe('representations', () => {
  it('have each entity once, and say for every object which one is its', () => {
    const objects = ['1', '2', '1'].map((id) => ({ __typename: 'Book', id, title: 'not required' }));
    expect(build([BOOK], objects)).toEqual({
      numbers: [0, 1, 0],
      values: [
        { __typename: 'Book', id: '1' },
        { __typename: 'Book', id: '2' },
      ],
    });
  });

  it('tell equal keys of different types and different kinds apart', () => {
    const objects = [
      { __typename: 'Book', id: '1' },
      { __typename: 'Film', id: '1' },
      { __typename: 'Book', id: 1 },
      { __typename: 'Book', id: null },
      { __typename: 'Book', id: 'null' },
    ];
    const requires = [BOOK, on('Film', field('__typename'), field('id'))];
    expect(build(requires, objects).numbers).toEqual([0, 1, 2, 3, 4]);
  });

  it('leave out an object of which something required never arrived, and one of another type', () => {
    const requires = [on('Book', field('__typename'), field('id'), field('size', [field('w')]))];
    const objects = [
      { __typename: 'Book', id: '1' },
      { __typename: 'Book', id: '1', size: {} },
      { __typename: 'Film', id: '1', size: { w: 1 } },
      { id: '1', size: { w: 1 } },
      { __typename: 'Book', id: '1', size: null },
    ];
    expect(build(requires, objects)).toEqual({
      numbers: [-1, -1, -1, -1, 0],
      values: [{ __typename: 'Book', id: '1', size: null }],
    });
  });

  it('take nested objects, lists and fragments by the type that each says', () => {
    const pages = field('pages', [
      field('__typename'),
      on('Text', field('words')),
      on('Plate', field('colours')),
      on('Page', field('n')),
    ]);
    const object = {
      __typename: 'Book',
      pages: [{ __typename: 'Text', n: 1, words: 9 }, null, { __typename: 'Plate', n: 2, colours: 4 }],
    };
    expect(build([on('Book', field('__typename'), pages)], [object]).values).toEqual([object]);
  });

  it('merge what several fragments require of one type', () => {
    const requires = [
      BOOK,
      on('Medium', field('size', [field('w')])),
      on('Book', field('size', [field('h')])),
    ];
    const object = { __typename: 'Book', id: '1', size: { h: 2, w: 1 } };
    expect(build(requires, [object]).values).toEqual([object]);
  });

  it('apply input rewrites: names set, renamed at any depth, values read under one name and sent under another', () => {
    const requires = [
      on('Book', field('__typename'), field('alias', undefined, 'isbn'), field('size', [field('width')])),
    ];
    const values = build(
      requires,
      [{ __typename: 'Book', alias: 'x', size: { width: 3 } }],
      [
        { kind: 'rename', path: ['... on Medium', 'size', 'width'], to: 'w' },
        { kind: 'set', path: ['... on Book', '__typename'], value: 'Medium' },
        { kind: 'set', path: ['... on Book', 'never'], value: 'Book is a Medium no more' },
      ],
    ).values;
    expect(values).toEqual([{ __typename: 'Medium', isbn: 'x', size: { w: 3 } }]);
  });

  it('accept an object that carries the name of an interface', () => {
    const requires = [on('Medium', field('__typename'), field('id'))];
    const objects = [
      { __typename: 'Medium', id: '1' },
      { __typename: 'Film', id: '1' },
    ];
    expect(build(requires, objects).values).toEqual(objects);
  });

  it('leave out an object of whose type too little is required for any key of the subgraph', () => {
    const supergraph = buildSchema(
      `enum join__Graph { S @join__graph(name: "s", url: "") X @join__graph(name: "x", url: "") }
      interface Medium @join__type(graph: S, key: "id") @join__type(graph: X, key: "isbn") { id: ID! isbn: ID }
      type Book implements Medium @join__type(graph: X, key: "id") { id: ID! isbn: ID }
      type Film implements Medium @join__type(graph: X, key: "id") { id: ID! isbn: ID } type Query { m: Medium }`,
      { assumeValidSDL: true },
    );
    const requires = [
      on('Book', field('__typename'), field('id')),
      on('Medium', field('__typename'), field('isbn')),
    ];
    const inputRewrites = ['Book', 'Film'].map(
      (name) => ({ kind: 'set', path: [`... on ${name}`, '__typename'], value: 'Medium' }) as const,
    );
    const objects = ['Book', 'Film'].map((__typename) => ({ __typename, id: '1', isbn: '2' }));
    const numbers = (system: string) => {
      const { add, createBatch } = compileRepresentations(supergraph, { system, requires, inputRewrites });
      return add(createBatch(), objects);
    };
    expect(numbers('s')).toEqual([0, -1]);
    expect(numbers('x')).toEqual([0, 1]);
  });

  it('leave out an object of a type that the subgraph does not have', () => {
    const supergraph = buildSchema(
      `enum join__Graph { S @join__graph(name: "s", url: "") X @join__graph(name: "x", url: "") }
      interface Medium @join__type(graph: S, key: "id", isInterfaceObject: true) @join__type(graph: X, key: "id") { id: ID! }
      type Book implements Medium @join__type(graph: X, key: "id") { id: ID! } type Query { m: Medium }`,
      { assumeValidSDL: true },
    );
    const requires = [on('Medium', field('__typename'), field('id'))];
    const numbers = (system: string) => {
      const { add, createBatch } = compileRepresentations(supergraph, {
        system,
        requires,
        inputRewrites: [],
      });
      return add(createBatch(), [{ __typename: 'Book', id: '1' }]);
    };
    expect(numbers('s')).toEqual([-1]);
    expect(numbers('x')).toEqual([0]);
  });

  it('read no inherited property as data', () => {
    const requires = [on('Book', field('__typename'), field('constructor'))];
    expect(build(requires, [{ __typename: 'Book' }]).numbers).toEqual([-1]);
  });
});
