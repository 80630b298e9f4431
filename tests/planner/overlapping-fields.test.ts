// Whether fields can be merged: the same verdict as graphql-js on small documents, and bounded time on those that hold graphql-js up.
import { ENGINE_LIMITS } from '@weft/gateway/limits';
import { findOverlaps } from '@weft/gateway/plan/overlapping-fields';
import fc from 'fast-check';
import {
  buildSchema,
  NoFragmentCyclesRule,
  NoUnusedFragmentsRule,
  OverlappingFieldsCanBeMergedRule,
  PossibleFragmentSpreadsRule,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';

const RUN_MS_MAX = 15_000;
const LIMITS = ENGINE_LIMITS;

const schema = buildSchema(`
  interface Node { x: Int y(a: Int): Int n: Node l: [Node] }
  type A implements Node { x: Int y(a: Int): Int n: Node l: [Node] a: A b: B s: String r: Int! u: U }
  type B implements Node { x: Int y(a: Int): Int n: Node l: [Node] a: A b: B s: Int r: Int u: U }
  union U = A | B
  type Query { n: Node l: [Node] a: A b: B u: U }
`);

const TYPES = ['A', 'B', 'Node'];
const FRAGMENTS = ['F', 'G'];

const responseName = fc.constantFrom('', '', '', '', 'k: ', 'l: ', 'm: ', 'o: ', 'p: ', 's: ');
const leaf = fc
  .tuple(responseName, fc.constantFrom('x', 'y', 'y(a: 1)', 'y(a: 2)', 's', 'r', '__typename'))
  .map(([alias, field]) => alias + field);

function selection(depth: number): fc.Arbitrary<string> {
  if (depth === 0) return leaf;
  const set = fc.array(selection(depth - 1), { minLength: 1, maxLength: 4 }).map((items) => items.join(' '));
  const nested = fc
    .tuple(responseName, fc.constantFrom('n', 'l', 'a', 'b', 'u'), set)
    .map(([alias, field, below]) => `${alias}${field} { ${below} }`);
  const inline = fc
    .tuple(fc.constantFrom(...TYPES), set)
    .map(([type, below]) => `... on ${type} { ${below} }`);
  const spread = fc.constantFrom(...FRAGMENTS).map((name) => `...${name}`);
  return fc.oneof(leaf, nested, nested, inline, inline, spread);
}

const fragmentBody = fc.array(fc.oneof(selection(1)), { minLength: 1, maxLength: 3 });
const documents = fc
  .tuple(
    fc.array(selection(2), { minLength: 1, maxLength: 3 }),
    fc.tuple(fc.constantFrom(...TYPES), fragmentBody),
    fc.tuple(fc.constantFrom(...TYPES), fragmentBody),
  )
  .map(
    ([root, [typeF, f], [typeG, g]]) =>
      `{ n { ${root.join(' ')} ...F ...G } } fragment F on ${typeF} { ${f.join(' ')} } fragment G on ${typeG} { ${g.join(' ')} }`,
  );

describe('findOverlaps', () => {
  it('says of every document what graphql-js says of it', () => {
    const verdicts = { same: 0, overlapping: 0 };
    fc.assert(
      fc.property(documents, (text) => {
        const document = parse(text);
        // Only documents that are valid otherwise get as far.
        const others = [NoFragmentCyclesRule, NoUnusedFragmentsRule, PossibleFragmentSpreadsRule];
        fc.pre(validate(schema, document, others).length === 0);
        const theirs = validate(schema, document, [OverlappingFieldsCanBeMergedRule]).length > 0;
        expect(findOverlaps(schema, document, LIMITS).length > 0, text).toBe(theirs);
        verdicts[theirs ? 'overlapping' : 'same'] += 1;
      }),
      { numRuns: 3_000, interruptAfterTimeLimit: RUN_MS_MAX, maxSkipsPerRun: 1_000 },
    );
    expect(Math.min(verdicts.same, verdicts.overlapping)).toBeGreaterThan(50);
  }, 60_000);

  it('says where and why', () => {
    const document = parse('{ n { k: x } n { k: y } }');
    const [error, ...others] = findOverlaps(schema, document, LIMITS);
    expect(others).toEqual([]);
    expect(error?.message).toBe(
      'Fields "n" conflict because subfields "k" conflict because "x" and "y" are different fields. ' +
        'Use different aliases on the fields to fetch both if this was intentional.',
    );
    expect(error?.locations).toHaveLength(2);
  });

  it.each([
    ['one composite field again and again', `{ ${'n { x } '.repeat(1_000)} }`],
    [
      'inline fragments in each other',
      `{ n ${'{ ... on A { n { x } } ... on B { n { x } } n '.repeat(28)} { x } ${'}'.repeat(28)} }`,
    ],
    [
      'types that part at every level',
      `{ n ${'{ ... on A { n { y } } ... on B { n { y } } ... on Node { n { x } } n '.repeat(25)} { x } ${'}'.repeat(25)} }`,
    ],
  ])('takes bounded time for %s', (_what, text) => {
    const document = parse(text);
    const startedAt = performance.now();
    try {
      findOverlaps(schema, document, LIMITS);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 'overlapStepsMax' } });
    }
    expect(performance.now() - startedAt).toBeLessThan(300);
  });
});
