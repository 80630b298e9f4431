// Laws of what each part of a parted plan asks.
import { Kind, parse, type SelectionSetNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { splitSelection } from '../incremental/split-selection.ts';
import type { FetchStep, Step } from '../plan/planner.ts';
import { deferSteps } from './defer-steps.ts';

function selectionOf(text: string): SelectionSetNode {
  const [definition] = parse(text, { noLocation: true }).definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return definition.selectionSet;
}

function fetchOf(system: string, path: string, text: string, requires?: readonly string[]): FetchStep {
  return {
    kind: 'fetch',
    system,
    operation: text,
    operationName: undefined,
    operationKind: 'query' as FetchStep['operationKind'],
    variableNames: [],
    path: path.split('.').filter(Boolean),
    requires: requires && [
      {
        kind: 'fragment',
        typeCondition: 'T',
        selections: requires.map((name) => ({ kind: 'field', name, selections: undefined })),
      },
    ],
    selection: selectionOf(text),
    fragments: new Map(),
    inputRewrites: [],
    outputRewrites: [],
    contextRewrites: [],
  };
}

/** Systems of the first part, and of each deferred fragment with those that it waits for. */
function part(text: string, steps: Step) {
  const split = splitSelection(selectionOf(text), new Map(), {});
  const parted = deferSteps(steps, split, new Map());
  if (parted?.kind !== 'defer') return undefined;
  const systems = (step: Step | undefined): readonly string[] => {
    if (step === undefined) return [];
    if (step.kind === 'fetch') return [`${step.system}#${step.id}`];
    return step.kind === 'sequence' || step.kind === 'parallel' ? step.steps.flatMap(systems) : [];
  };
  return {
    first: systems(parted.primary.steps),
    deferred: parted.deferred.map(({ path, depends, steps: own }) => [
      path.join('.'),
      systems(own),
      [...depends],
    ]),
  };
}

const sequence = (...steps: readonly Step[]): Step => ({ kind: 'sequence', steps });
const parallel = (...steps: readonly Step[]): Step => ({ kind: 'parallel', steps });

describe('deferSteps', () => {
  const root = fetchOf('root', '', '{ t { id } }');

  it('holds back a fetch of which only deferred fields are asked', () => {
    const steps = sequence(
      root,
      parallel(fetchOf('a', 't', '{ x }', ['id']), fetchOf('b', 't', '{ y }', ['id'])),
    );
    expect(part('{ t { id x ... @defer { y } } }', steps)).toEqual({
      first: ['root#0', 'a#1'],
      deferred: [['t', ['b#2'], ['0']]],
    });
  });

  it('lets the first answer have the types of what another system knows as an object of an interface', () => {
    const rewrite = { kind: 'set', path: ['__typename'], value: 'I' } as const;
    const types = fetchOf('a', 't', '{ __typename ... on A { x } }', ['id']);
    const steps = sequence(fetchOf('root', '', '{ t { __typename id } }'), {
      ...types,
      inputRewrites: [rewrite],
    });
    expect(part('{ t { ... on B { id } ... on A @defer { x } } }', steps)).toEqual({
      first: ['root#0', 'a#1'],
      deferred: [['t', [], ['1', '0']]],
    });
    expect(part('{ t { id ... on A @defer { x } } }', steps)).toEqual({
      first: ['root#0'],
      deferred: [['t', ['a#1'], ['0']]],
    });
  });

  it('holds back what only a deferred field requires', () => {
    const steps = sequence(root, fetchOf('a', 't', '{ x }', ['id']), fetchOf('b', 't', '{ y }', ['id', 'x']));
    expect(part('{ t { id ... @defer { y } } }', steps)).toEqual({
      first: ['root#0'],
      deferred: [['t', ['a#1', 'b#2'], ['0']]],
    });
  });

  it('does not hold back what the first answer requires too', () => {
    const steps = sequence(root, fetchOf('a', 't', '{ x }', ['id']), fetchOf('b', 't', '{ y }', ['id', 'x']));
    expect(part('{ t { id y ... @defer { x } } }', steps)).toEqual({
      first: ['root#0', 'a#1', 'b#2'],
      deferred: [['t', [], ['1', '0']]],
    });
  });

  it('gives a fetch to the first fragment that needs it, and lets the next one wait for it', () => {
    const steps = sequence(root, fetchOf('b', 't', '{ y z }', ['id']));
    expect(part('{ t { id ... @defer { y } ... @defer { z } } }', steps)?.deferred).toEqual([
      ['t', ['b#1'], ['0']],
      ['t', [], ['1', '0']],
    ]);
  });

  it('keeps what leads to a deferred object in the first part where the client is shown it', () => {
    const steps = sequence(
      root,
      fetchOf('a', 't', '{ u { id } }', ['id']),
      fetchOf('b', 't.u', '{ y }', ['id']),
    );
    expect(part('{ t { id u { ... @defer { y } } } }', steps)).toEqual({
      first: ['root#0', 'a#1'],
      deferred: [['t.u', ['b#2'], ['1', '0']]],
    });
  });

  it('leaves a plan of very many fetches whole', () => {
    const many = Array.from({ length: 201 }, (_, index) =>
      fetchOf(`s${index}`, 't', `{ f${index} }`, ['id']),
    );
    expect(part('{ t { id ... @defer { f1 } } }', sequence(root, parallel(...many)))).toBeUndefined();
  });
});
