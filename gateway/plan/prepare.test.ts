// Laws of preparing: nothing is planned that was not bounded, and no field is left without a fetch.
import { buildSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ENGINE_LIMITS } from '../limits.ts';
import { checkDocumentLimits } from './document-limits.ts';
import type { Plan } from './planner.ts';
import { prepareOperation } from './prepare.ts';

const schema = buildSchema('type Query { a: Int b: A } type A { a: A n: Int }');
const NOTHING: Plan = { steps: undefined, primary: undefined };
const options = { schema, limits: ENGINE_LIMITS, planner: { plan: () => NOTHING } };
const codeOf = (query: string) => {
  const result = prepareOperation(options, query, undefined);
  return 'errors' in result ? result.errors[0]?.extensions.code : undefined;
};

describe('prepareOperation', () => {
  it('refuses a plan that leaves out a root field', () => {
    const result = prepareOperation(options, '{ x: a }', undefined);
    expect(result).toMatchObject({
      errors: [
        {
          message: 'No system can be reached for the field a.',
          extensions: { code: 'INTERNAL_SERVER_ERROR' },
        },
      ],
    });
  });

  it('needs no fetch for introspection, for a name of a type, and for what a literal excludes', () => {
    expect(
      codeOf(
        '{ __typename __schema { queryType { name } } a @skip(if: true) ... @include(if: false) { b { n } } }',
      ),
    ).toBeUndefined();
  });

  it('turns a planner that throws into an error without its words', () => {
    const planner = {
      plan: () => {
        throw new Error('inner workings');
      },
    };
    const result = prepareOperation({ ...options, planner }, '{ a }', undefined);
    expect(result).toMatchObject({
      errors: [{ message: 'Internal error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
  });

  it.each([
    ['bytes', `{ a } #${'x'.repeat(ENGINE_LIMITS.documentBytesMax)}`],
    ['tokens', `{ ${'a '.repeat(ENGINE_LIMITS.documentTokensMax)} }`],
    ['open brackets', `{ a(x: ${'['.repeat(ENGINE_LIMITS.documentBracketsMax + 1)}`],
  ])('refuses a document with too many %s before it parses', (_what, query) => {
    expect(codeOf(query)).toBe('LIMIT_EXCEEDED');
  });
});

describe('checkDocumentLimits', () => {
  const limits = { ...ENGINE_LIMITS, documentDepthMax: 3, expandedFieldsMax: 10 };
  const check = (query: string) => () => checkDocumentLimits(parse(query), limits);

  it('counts depth through fragments, which are no level of their own', () => {
    expect(check('{ b { ...F } } fragment F on A { ... on A { a { n } } }')).not.toThrow();
    expect(check('{ b { ...F } } fragment F on A { a { a { n } } }')).toThrow(/nested/);
  });

  it('counts what a fragment brings each time that it is spread', () => {
    const fragment = 'fragment F on A { n m: n o: n }';
    expect(check(`{ x: b { ...F } y: b { ...F } } ${fragment}`)).not.toThrow();
    expect(check(`{ x: b { ...F } y: b { ...F } z: b { ...F } } ${fragment}`)).toThrow(/fragments expanded/);
  });

  it('ends on fragments that spread one another in a circle', () => {
    expect(check('{ b { ...F } } fragment F on A { ...G } fragment G on A { ...F n }')).not.toThrow();
  });
});
