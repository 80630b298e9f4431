// Laws of what an entity fetch takes from others of its operation.
import { buildSchema, Kind, parse, type SelectionSetNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { DataObject } from '../execute/data.ts';
import type { FetchStep } from '../plan/planner.ts';
import { compileFetch } from './fetches.ts';
import { compileReuse } from './reuse.ts';
import type { Run } from './run.ts';

const schema = buildSchema('type T { id: ID! a: Int b: Int c: Int t: T } type Query { t: T }');

function entityFetch(path: readonly string[], requires: readonly string[], text: string): FetchStep {
  const operation = `query($representations:[_Any!]!) { _entities(representations: $representations) { ... on T { ${text} } } }`;
  const [definition] = parse(`{ ... on T { ${text} } }`, { noLocation: true }).definitions;
  const selection: SelectionSetNode =
    definition?.kind === Kind.OPERATION_DEFINITION
      ? definition.selectionSet
      : { kind: Kind.SELECTION_SET, selections: [] };
  return {
    kind: 'fetch',
    system: 's',
    operation,
    operationName: undefined,
    operationKind: 'query' as FetchStep['operationKind'],
    variableNames: [],
    path,
    requires: [
      {
        kind: 'fragment',
        typeCondition: 'T',
        selections: ['__typename', ...requires].map((name) => ({
          kind: 'field',
          name,
          selections: undefined,
        })),
      },
    ],
    selection,
    fragments: new Map(),
    inputRewrites: [],
    outputRewrites: [],
    contextRewrites: [],
  };
}

/** Which of the objects at `t.t` must still be asked about, the fetch at `t` being answered. */
function fill(source: FetchStep, taker: FetchStep, data: DataObject, isWhole = true) {
  const fetches = [source, taker].map((step, number) => compileFetch(schema, step, number));
  const reuse = compileReuse(schema, fetches).get(fetches[1] as (typeof fetches)[number]);
  const inner = (data.t as DataObject).t as DataObject;
  // Of a run it reads these three.
  const run = { data, isWhole: [isWhole], known: [] } as unknown as Run;
  return { reuse, left: reuse?.fill(run, [inner]), inner };
}

describe('an entity fetch that requires fields of others', () => {
  const source = entityFetch(['t'], ['id', 'a'], 'b c');
  const taker = entityFetch(['t', 't'], ['a', 'id'], 'b');
  const known = { __typename: 'T', id: '1', a: 5, b: 9, c: 7 };

  it('takes what was answered for the same key and the same required values', () => {
    const { left, inner } = fill(source, taker, {
      t: { ...known, t: { __typename: 'T', id: '1', a: 5 } },
    });
    expect(left).toEqual([]);
    expect(inner).toEqual({ __typename: 'T', id: '1', a: 5, b: 9 });
  });

  it.each([
    ['another key', { id: '2', a: 5 }],
    ['another required value', { id: '1', a: 6 }],
    ['a required value that is null', { id: '1', a: null }],
    ['a required value that never came', { id: '1' }],
  ])('asks for %s itself', (_what, fields) => {
    const { left, inner } = fill(source, taker, { t: { ...known, t: { __typename: 'T', ...fields } } });
    expect(left).toEqual([inner]);
    expect(inner).not.toHaveProperty('b');
  });

  it('takes nothing from a fetch that was not answered whole', () => {
    const { left, inner } = fill(
      source,
      taker,
      { t: { ...known, t: { __typename: 'T', id: '1', a: 5 } } },
      false,
    );
    expect(left).toEqual([inner]);
  });

  it('has no source in a fetch that was sent less', () => {
    expect(fill(entityFetch(['t'], ['id'], 'b'), taker, { t: { ...known, t: {} } }).reuse).toBeUndefined();
  });
});
