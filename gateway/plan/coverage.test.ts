// Laws of coverage: what a client asks for and no fetch selects is found, and what a planner rightly leaves out is not.
import { buildSchema, Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { findUncovered } from './coverage.ts';
import { fetchStep, parseFetch } from './fetch-text.ts';
import type { FetchStep, Step } from './planner.ts';

const schema = buildSchema(`
  type Query { a: A i: I }
  interface I { n: Int }
  type A implements I { n: Int m: Int b: B }
  type B implements I { n: Int a: A }
`);
const fetch = (text: string, ...path: readonly string[]): FetchStep =>
  fetchStep({
    system: 's',
    document: parseFetch(text),
    path,
    requires: path.length === 0 ? undefined : [{ kind: 'field', name: '__typename', selections: undefined }],
    inputRewrites: [],
    outputRewrites: [],
    contextRewrites: [],
  });

function uncovered(query: string, ...steps: readonly Step[]): string | undefined {
  const [operation] = parse(query).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('expected an operation');
  return findUncovered(schema, operation, new Map(), {
    steps: { kind: 'sequence', steps },
    primary: undefined,
  });
}

describe('findUncovered', () => {
  it('finds a nested field that no fetch selects, by its type', () => {
    expect(uncovered('{ a { n b { n } } }', fetch('{ a { n b { a { n } } } }'))).toBe('B.n');
    expect(uncovered('{ a { n b { n } } }', fetch('{ a { n b { n } } }'))).toBeUndefined();
  });

  it('counts what an entity fetch brings, wherever a condition puts it', () => {
    const entity = fetch(
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on A { m } } }',
      'a',
    );
    const step: Step = { kind: 'condition', variable: 'x', whenTrue: entity, whenFalse: undefined };
    expect(uncovered('{ a { m } }', fetch('{ a { n } }'), step)).toBeUndefined();
    expect(uncovered('{ a { m } }', fetch('{ a { n } }'))).toBe('A.m');
  });

  it('goes by response names', () => {
    expect(uncovered('{ a { x: n } }', fetch('{ a { n } }'))).toBe('A.n');
    expect(uncovered('{ a { x: n } }', fetch('{ a { x: n } }'))).toBeUndefined();
  });

  it('lets a planner leave out a type that it has nowhere at that place, and no field of one that it has', () => {
    expect(uncovered('{ i { n ... on A { m } } }', fetch('{ i { n } }'))).toBeUndefined();
    expect(uncovered('{ i { n ... on A { m } } }', fetch('{ i { n ... on A { n } } }'))).toBe('A.m');
  });

  it('lets a planner leave out what conditions exclude', () => {
    const query =
      'query ($x: Boolean!) { a { n m @skip(if: true) ... @include(if: $x) { b @skip(if: $x) { n } } } }';
    expect(uncovered(query, fetch('{ a { n } }'))).toBeUndefined();
  });
});
