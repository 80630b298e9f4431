// Laws of what is sent together and what is not waited for.
import { buildSchema, Kind, type OperationTypeNode, parse, type SelectionSetNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { FetchStep, Step } from '../plan/planner.ts';
import { type CompiledFetch, compileFetch } from './fetches.ts';
import { scheduleFetches } from './groups.ts';

const schema = buildSchema(
  'type T { id: ID! a: Int b: Int c: Int t: T } type Query { t: T } type Mutation { t: T }',
);

function fetchOf(
  system: string,
  path: string,
  text: string,
  requires: readonly string[] | undefined,
  kind = 'query',
): FetchStep {
  const whole =
    requires === undefined
      ? `${kind} { ${text} }`
      : `query($representations:[_Any!]!) { _entities(representations: $representations) { ... on T { ${text} } } }`;
  const selectionOf = (source: string): SelectionSetNode => {
    const [definition] = parse(source, { noLocation: true }).definitions;
    return definition?.kind === Kind.OPERATION_DEFINITION
      ? definition.selectionSet
      : { kind: Kind.SELECTION_SET, selections: [] };
  };
  return {
    kind: 'fetch',
    system,
    operation: whole,
    operationName: undefined,
    operationKind: kind as OperationTypeNode,
    variableNames: [],
    path: path.split('.').filter(Boolean),
    requires: requires && [
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
    selection: selectionOf(`{ ${text} }`),
    fragments: new Map(),
    inputRewrites: [],
    outputRewrites: [],
    contextRewrites: [],
  };
}

const sequence = (...steps: readonly Step[]): Step => ({ kind: 'sequence', steps });
const parallel = (...steps: readonly Step[]): Step => ({ kind: 'parallel', steps });

function schedule(steps: Step, all: readonly FetchStep[], sources: readonly FetchStep[] = []) {
  const compiled = new Map<FetchStep, CompiledFetch>(
    all.map((step, number) => [step, compileFetch(schema, step, number)] as const),
  );
  const of = (step: FetchStep) => compiled.get(step) as CompiledFetch;
  const { groups, unawaited } = scheduleFetches(steps, [...compiled.values()], of, new Set(sources.map(of)));
  return {
    together: [...new Set(groups.values())].map(({ members }) =>
      members.map(({ step }) => all.indexOf(step)),
    ),
    unawaited: [...unawaited].map(({ step }) => all.indexOf(step)),
  };
}

describe('a schedule', () => {
  const root = fetchOf('r', '', 't { __typename id }', undefined);

  it('sends entity fetches of one depth to one subgraph together', () => {
    const all = [
      root,
      fetchOf('s', 't', 'a', ['id']),
      fetchOf('s', 't', 'b', ['id']),
      fetchOf('x', 't', 'c', ['id']),
    ];
    const [, a = root, b = root, c = root] = all;
    expect(schedule(sequence(root, parallel(a, b, c)), all)).toEqual({ together: [[1, 2]], unawaited: [] });
  });

  it('postpones a fetch that no other needs to a later one, and makes nothing wait for it', () => {
    const all = [
      root,
      fetchOf('s', 't', 'a', ['id']),
      fetchOf('x', 't', 'b', ['id']),
      fetchOf('s', 't', 'c', ['id', 'b']),
    ];
    const [, a = root, b = root, c = root] = all;
    expect(schedule(sequence(root, parallel(a, b), c), all)).toEqual({ together: [[1, 3]], unawaited: [1] });
  });

  it('does not postpone a fetch that a later one may take from', () => {
    const all = [
      root,
      fetchOf('s', 't', 'a', ['id']),
      fetchOf('x', 't', 'b', ['id']),
      fetchOf('s', 't', 'a', ['id', 'b']),
    ];
    const [, a = root, b = root, c = root] = all;
    expect(schedule(sequence(root, parallel(a, b), c), all, [a])).toEqual({ together: [], unawaited: [1] });
  });

  it('never puts a fetch together with one that needs its answer', () => {
    const all = [root, fetchOf('s', 't', 'a', ['id']), fetchOf('s', 't', 'c', ['id', 'a'])];
    const [, a = root, c = root] = all;
    expect(schedule(sequence(root, a, c), all)).toEqual({ together: [], unawaited: [] });
  });

  it('counts it as need when a later path leads through what a fetch brings', () => {
    const all = [root, fetchOf('s', 't', 't { __typename id }', ['id']), fetchOf('s', 't.t', 'c', ['id'])];
    const [, a = root, c = root] = all;
    expect(schedule(sequence(root, a, c), all)).toEqual({ together: [], unawaited: [] });
  });

  it('never moves a read over a change', () => {
    const change = fetchOf('r', '', 't { __typename id }', undefined, 'mutation');
    const all = [
      change,
      fetchOf('s', 't', 'a', ['id']),
      fetchOf('r', '', 'u: t { id }', undefined, 'mutation'),
      fetchOf('s', 'u', 'c', ['id']),
    ];
    const [, a = root, second = root, c = root] = all;
    expect(schedule(sequence(change, a, second, c), all)).toEqual({ together: [], unawaited: [] });
  });
});
