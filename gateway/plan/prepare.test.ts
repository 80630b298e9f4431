// Laws of preparing: nothing is planned that was not bounded, and no field is left without a fetch.
import { buildSchema, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ENGINE_LIMITS } from '../limits.ts';
import { withDefer } from './defer-rules.ts';
import { checkDocumentLimits } from './document-limits.ts';
import { fetchStep, parseFetch } from './fetch-text.ts';
import type { FetchStep, Plan, PlannerName } from './planner.ts';
import type { PlanMessage } from './planner-messages.ts';
import { prepareOperation } from './prepare.ts';

const schema = buildSchema('type Query { a: Int b: A } type A { a: A n: Int }');
const NOTHING: Plan = { steps: undefined, primary: undefined };
const fetchOf = (text: string): FetchStep =>
  fetchStep({
    system: 'one',
    document: parseFetch(text),
    path: [],
    requires: undefined,
    inputRewrites: [],
    outputRewrites: [],
    contextRewrites: [],
  });
const options = { schema, limits: ENGINE_LIMITS, plan: async () => NOTHING };
const codeOf = async (query: string) => {
  const result = await prepareOperation(options, query, undefined);
  return 'errors' in result ? result.errors[0]?.extensions.code : undefined;
};

describe('prepareOperation', () => {
  it('refuses a plan that leaves out a root field', async () => {
    const result = await prepareOperation(options, '{ x: a }', undefined);
    expect(result).toMatchObject({
      errors: [
        {
          message: 'No system can be reached for the field a.',
          extensions: { code: 'INTERNAL_SERVER_ERROR' },
        },
      ],
    });
  });

  it('plans a mutation for each order that variables decide on, and refuses one of too many', async () => {
    const ordered = buildSchema('type Query { a: Int } type Mutation { a: Int b: Int }');
    const asked: string[] = [];
    const plan = async (_key: string, { request }: PlanMessage): Promise<Plan> => {
      const text = print(request.document).replace(/\s+/g, ' ');
      asked.push(text);
      return { steps: fetchOf(text), primary: undefined, planner: 'hive' };
    };
    const prepare = (names: readonly string[]) =>
      prepareOperation(
        { ...options, schema: ordered, plan },
        `mutation (${names.map((name) => `$${name}: Boolean!`).join(' ')}) { ${names.map((name) => `a @include(if: $${name})`).join(' ')} b a }`,
        undefined,
      );
    expect(await prepare(['v'])).toMatchObject({
      plan: { steps: { kind: 'condition', variable: 'v', whenTrue: { kind: 'fetch' } } },
    });
    expect(asked.map((text) => text.slice(text.indexOf('{')))).toEqual(['{ a b }', '{ b a }']);
    expect(await prepare(['v', 'w', 'x', 'y'])).not.toHaveProperty('errors');
    expect(await prepare(['v', 'w', 'x', 'y', 'z'])).toMatchObject({
      errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'ORDER_VARIABLES_MAX' } }],
    });
  });

  it('needs no fetch for introspection, for a name of a type, and for what a literal excludes', async () => {
    expect(
      await codeOf(
        '{ __typename __schema { queryType { name } } a @skip(if: true) ... @include(if: false) { b { n } } }',
      ),
    ).toBeUndefined();
  });

  it('asks the other planner when a field is left out, and takes its plan when that has it', async () => {
    const avoided: (PlannerName | undefined)[] = [];
    const plan = async (_key: string, { avoid }: PlanMessage): Promise<Plan> => {
      avoided.push(avoid);
      if (avoid === undefined) return { ...NOTHING, planner: 'hive' };
      return { steps: fetchOf('{ b { n } }'), primary: undefined, planner: 'apollo' };
    };
    const result = await prepareOperation({ ...options, plan }, '{ b { n } }', undefined);
    expect(result).toMatchObject({ plan: { planner: 'apollo' } });
    expect(avoided).toEqual([undefined, 'hive']);
  });

  it('answers at once where nothing is to be planned, and where the document is wrong', () => {
    expect(prepareOperation(options, '{ __typename }', undefined)).not.toBeInstanceOf(Promise);
    expect(prepareOperation(options, '{ nothing }', undefined)).not.toBeInstanceOf(Promise);
    expect(prepareOperation(options, '{', undefined)).not.toBeInstanceOf(Promise);
  });

  it('turns a planner that throws into an error without its words', async () => {
    const plan = () => Promise.reject(new Error('inner workings'));
    const result = await prepareOperation({ ...options, plan }, '{ a }', undefined);
    expect(result).toMatchObject({
      errors: [{ message: 'Internal error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
  });

  it('refuses @defer by name while answers come in one piece', async () => {
    const query = '{ a ... @defer { b { n } } }';
    expect(await prepareOperation(options, query, undefined)).toMatchObject({
      errors: [
        { message: expect.stringContaining('@defer'), extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
      ],
    });
    const plan = async (): Promise<Plan> => ({ steps: fetchOf('{ a b { n } }'), primary: undefined });
    const allowed = { ...options, schema: withDefer(schema), plan, incrementalDelivery: true };
    expect(await prepareOperation(allowed, query, undefined)).toHaveProperty('plan');
  });

  it.each(['_weft_own_id', '_internal_qp_alias_0', '__typename'])(
    'refuses the alias %s, under which planning keeps what is its own',
    async (alias) => expect(await codeOf(`{ ${alias}: a }`)).toBe('BAD_USER_INPUT'),
  );

  it.each([
    ['bytes', `{ a } #${'x'.repeat(ENGINE_LIMITS.documentBytesMax)}`],
    ['tokens', `{ ${'a '.repeat(ENGINE_LIMITS.documentTokensMax)} }`],
    ['open brackets', `{ a(x: ${'['.repeat(ENGINE_LIMITS.documentBracketsMax + 1)}`],
  ])('refuses a document with too many %s before it parses', async (_what, query) => {
    expect(await codeOf(query)).toBe('LIMIT_EXCEEDED');
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
