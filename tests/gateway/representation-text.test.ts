// The hand-written JSON of a representation is JSON, whatever a subgraph answers with.
import { compileRepresentations } from '@weft/gateway/compile/representations';
import fc from 'fast-check';
import { buildSchema } from 'graphql';
import { expect, it } from 'vitest';

const schema = buildSchema(
  'type Thing { id: ID! size: Size } type Size { w: Int } type Query { thing: Thing }',
);
const { add, createBatch } = compileRepresentations(schema, {
  system: 's',
  requires: [
    {
      kind: 'fragment',
      typeCondition: 'Thing',
      selections: [
        { kind: 'field', name: '__typename', selections: undefined },
        { kind: 'field', name: 'id', selections: undefined },
        {
          kind: 'field',
          name: 'size',
          selections: [{ kind: 'field', name: 'w', selections: undefined }],
        },
      ],
    },
  ],
  inputRewrites: [],
});
const single = compileRepresentations(schema, {
  system: 's',
  requires: [
    {
      kind: 'fragment',
      typeCondition: 'Thing',
      selections: [
        { kind: 'field', name: '__typename', selections: undefined },
        { kind: 'field', name: 'id', selections: undefined },
      ],
    },
  ],
  inputRewrites: [],
});

/** Whatever JSON can bring: strings with any code unit, numbers with -0 and those that overflow, nested values. */
const anyValue = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue().map((value) => value as string),
);

it('a representation is the JSON that the native writer would write of it', () => {
  fc.assert(
    fc.property(anyValue, anyValue, (id, w) => {
      const batch = createBatch();
      add(batch, [{ __typename: 'Thing', id, size: [{ w }, null] }]);
      expect(batch.texts).toEqual([JSON.stringify({ __typename: 'Thing', id, size: [{ w }, null] })]);
    }),
    { numRuns: 2_000, interruptAfterTimeLimit: 5_000, markInterruptAsFailure: false },
  );
});

it('equal keys have one representation and different ones have different ones, whatever they are', () => {
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 20 }), (ids) => {
      const batch = single.createBatch();
      const numbers = single.add(
        batch,
        ids.map((id) => ({ __typename: 'Thing', id })),
      );
      const texts = ids.map((id) => JSON.stringify({ __typename: 'Thing', id }));
      expect(numbers.map((number) => batch.texts[number])).toEqual(texts);
      expect(batch.texts.length).toBe(new Set(batch.texts).size);
    }),
    { numRuns: 1_000, interruptAfterTimeLimit: 5_000, markInterruptAsFailure: false },
  );
});
