// Laws of what is answered at once and what is deferred.
import { type FragmentDefinitionNode, Kind, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { type DeferredFragment, deferVariables, namesOf, splitSelection } from './split-selection.ts';

function read(text: string) {
  const { definitions } = parse(text, { noLocation: true });
  const operation = definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('no operation');
  const fragments = new Map(
    definitions.flatMap((node): (readonly [string, FragmentDefinitionNode])[] =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [],
    ),
  );
  return { selectionSet: operation.selectionSet, fragments };
}

function split(text: string, variables: Readonly<Record<string, unknown>> = {}) {
  const { selectionSet, fragments } = read(text);
  const { kept, deferred } = splitSelection(selectionSet, fragments, variables);
  return { kept: oneLine(print(kept)), deferred: deferred.map(show) };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

type Shown = readonly [label: string | undefined, names: string, selection: string, ...children: Shown[]];

function show({ label, path, selectionSet, children }: DeferredFragment): Shown {
  return [label, namesOf(path).join('.'), oneLine(print(selectionSet)), ...children.map(show)];
}

describe('splitSelection', () => {
  it('leaves a selection without @defer as it is', () => {
    const { selectionSet, fragments } = read('{ a { b ...F } } fragment F on A { c }');
    expect(splitSelection(selectionSet, fragments, {}).kept).toBe(selectionSet);
  });

  it('takes deferred fragments out, wherever they stand, and keeps their places', () => {
    expect(
      split('{ a { b ... @defer(label: "x") { c } d: e { ...F @defer } } } fragment F on E { f }'),
    ).toEqual({
      kept: '{ a { b d: e } }',
      deferred: [
        ['x', 'a', '{ c }'],
        [undefined, 'a.d', '{ f }'],
      ],
    });
  });

  it('puts one that stands in another below it', () => {
    expect(split('{ a { ... @defer { b { c ... @defer(label: "y") { d } } } } }').deferred).toEqual([
      [undefined, 'a', '{ b { c } }', ['y', 'b', '{ d }']],
    ]);
  });

  it('finds a fragment at each place where it is spread', () => {
    expect(split('{ a { ...F } b { ...F } } fragment F on A { c ... @defer { d } }').deferred).toEqual([
      [undefined, 'a', '{ d }'],
      [undefined, 'b', '{ d }'],
    ]);
  });

  it.each([
    [{ v: true }, 1],
    [{ v: false }, 0],
  ])('decides by the variables %j', (variables, count) => {
    expect(split('{ a { b ... @defer(if: $v) { c } } }', variables).deferred).toHaveLength(count);
  });

  it('defers nothing that @skip or @include leave out', () => {
    const text = '{ a @include(if: $v) { ... @defer { b } } ... @skip(if: $w) { ... @defer { c } } }';
    expect(split(text, { v: false, w: true }).deferred).toEqual([]);
    expect(split(text, { v: true, w: false }).deferred).toHaveLength(2);
  });

  it('takes `if: false` for no deferral', () => {
    expect(split('{ a { ... @defer(if: false) { b } } }').deferred).toEqual([]);
  });
});

describe('deferVariables', () => {
  it('names those that decide what is deferred, and no others', () => {
    const { selectionSet } = read(
      '{ a @skip(if: $s) { ... @defer(if: $v) { b ... @defer(if: $w) { c } } } }',
    );
    expect(deferVariables([selectionSet])).toEqual(['v', 'w']);
  });
});
