// Laws of the minimiser: what is left still disagrees, and nothing more of it can go.
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { minimise } from './minimise.ts';

const schema = buildSchema('type Query { a(x: Int): Query b: Int c: Int list: [Query] }');

describe('the minimiser', () => {
  it('keeps what the disagreement needs, and drops fragments, aliases, directives and variables around it', async () => {
    const query = `query Op($v: Boolean!, $x: Int) {
      one: a(x: $x) { b ...F list { c } }
      c @include(if: $v)
    }
    fragment F on Query { ... on Query @skip(if: $v) { list { z: c b } } }`;
    const small = await minimise(schema, query, async (candidate) => /\bc\b/.test(candidate));
    expect(small.replace(/\s+/g, ' ')).toBe('query Op { c }');
  });

  it('asks with valid documents only, and gives back one', async () => {
    const asked: string[] = [];
    await minimise(schema, '{ a { ...F } b } fragment F on Query { list { b } }', async (candidate) => {
      asked.push(candidate);
      return candidate.includes('list');
    });
    expect(asked.length).toBeGreaterThan(0);
    for (const candidate of asked) expect(validate(schema, parse(candidate))).toEqual([]);
  });
});
