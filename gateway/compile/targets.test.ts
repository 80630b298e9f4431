// Laws of the walk to a plan's path.
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { DataObject } from '../execute/data.ts';
import { compileTargets } from './targets.ts';

const schema = buildSchema(
  'interface N { n: Int } type A implements N { n: Int } type B { n: Int } type Query { a: A }',
);
const find = (path: readonly string[], root: DataObject) =>
  compileTargets(schema, path)(root).map((object) => object.n);

describe('the walk to a path', () => {
  it('goes into every element of lists of lists, past nulls', () => {
    const root: DataObject = { a: [[{ b: { n: 1 } }], [null, { b: null }], [{ b: { n: 2 } }]] };
    expect(find(['a', '@', '@', 'b'], root)).toEqual([1, 2]);
  });

  it('takes a list for its elements where no @ stands for it', () => {
    const root: DataObject = { a: [[{ b: [{ n: 1 }, { n: 2 }] }], [{ b: { n: 3 } }]] };
    expect(find(['a', '@', 'b'], root)).toEqual([1, 2, 3]);
  });

  it('goes on under a type condition only with objects of these types', () => {
    const root: DataObject = {
      a: [{ __typename: 'A', n: 1 }, { __typename: 'B', n: 2 }, { n: 3 }, { __typename: 'N', n: 4 }],
    };
    expect(find(['a', '@', '... on N'], root)).toEqual([1, 4]);
    expect(find(['a', '@', '... on A|B'], root)).toEqual([1, 2]);
  });

  it('leads nowhere by inherited names, scalars, or lists nested without end', () => {
    const bomb = JSON.parse(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`) as DataObject;
    expect(find(['constructor', 'prototype'], { constructor: 1 })).toEqual([]);
    expect(find(['toString'], {})).toEqual([]);
    expect(find(['a'], bomb)).toEqual([]);
  });
});
