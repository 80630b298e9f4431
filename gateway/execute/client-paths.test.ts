// Laws of where a client is told of an error.
import { Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { visiblePath } from './client-paths.ts';

function selectionOf(query: string) {
  const [operation] = parse(query, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return { selectionSet: operation.selectionSet, fragments: new Map() };
}

const CLIENT = selectionOf(`query ($yes: Boolean!) {
  a { b { c } ... on A @include(if: $yes) { b { d e { f } } } }
}`);

describe('the path of an error', () => {
  it('is whole where the client asked for the field', () => {
    expect(visiblePath(CLIENT, ['a', 0, 'b', 'c'], { yes: false })).toEqual(['a', 0, 'b', 'c']);
    expect(visiblePath(CLIENT, ['a', 0, 'b', 'e', 'f'], { yes: true })).toEqual(['a', 0, 'b', 'e', 'f']);
  });

  it('ends above what only the plan asked for', () => {
    expect(visiblePath(CLIENT, ['a', 0, 'b', 'key'], { yes: true })).toEqual(['a', 0, 'b']);
  });

  it.each([[['a', 'b', 'd']], [['a', 'b', 'e', 'f']]])(
    'is not told where a condition further out leaves the field out: %j',
    (path) => {
      expect(visiblePath(CLIENT, path, { yes: false })).toBeUndefined();
    },
  );
});
