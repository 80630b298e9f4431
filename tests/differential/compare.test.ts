// Laws of the comparison: it sees every difference that a client could.
import { describe, expect, it } from 'vitest';
import { type Answer, disagreement, isNonEmpty } from './compare.ts';

const answer = (data: unknown, ...paths: (string | number)[][]): Answer => ({
  data,
  errors: paths.map((path) => ({ message: 'broken', path })),
});

describe('the comparison of answers', () => {
  it.each([
    ['a value', answer({ a: 1 }), answer({ a: 2 }), 'data'],
    ['a type', answer({ a: 1 }), answer({ a: '1' }), 'data'],
    ['a field too many', answer({ a: 1 }), answer({ a: 1, b: null }), 'data'],
    ['a field too few', answer({ a: 1, b: null }), answer({ a: 1 }), 'data'],
    ['a list that is longer', answer({ a: [1] }), answer({ a: [1, 1] }), 'data'],
    ['the order of fields', answer({ a: 1, b: 2 }), answer({ b: 2, a: 1 }), 'order of fields'],
    ['an error that is not told', answer({ a: null }, ['a']), answer({ a: null }), 'errors are not told'],
    ['an error that is none', answer({ a: null }), answer({ a: null }, ['a']), 'errors that are none'],
    [
      'a null that is not explained',
      answer({ a: null, b: null }, ['a'], ['b', 0, 'c']),
      answer({ a: null, b: null }, ['a']),
      'a null is not explained',
    ],
  ])('sees %s', (_title, expected, got, what) => {
    expect(disagreement(expected, got)).toBe(what);
  });

  it('takes any error at, above or below a null for its explanation', () => {
    const expected = answer({ a: { b: null } }, ['a', 'b', 0, 'c']);
    for (const path of [['a', 'b'], ['a'], ['a', 'b', 1, 'd'], ['a', 'b', 0, 'c']]) {
      expect(disagreement(expected, answer({ a: { b: null } }, path))).toBeUndefined();
    }
    expect(disagreement(expected, answer({ a: { b: null } }, ['a', 'x']))).toBe('a null is not explained');
  });

  it('holds an answer of nulls, empty lists and names of types for empty', () => {
    expect(isNonEmpty({ a: null, b: [[]], c: { __typename: 'C', d: null } })).toBe(false);
    expect(isNonEmpty({ a: null, b: [[{ c: false }]] })).toBe(true);
  });
});
