// Laws of merging: own keys, nothing lost, nothing shared that could change.
import { buildSchema, Kind, parse, type SelectionSetNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { DataObject } from '../execute/data.ts';
import type { FetchStep } from '../plan/planner.ts';
import { compileMerge } from './merge.ts';

const schema = buildSchema('interface N { a: Int } type T implements N { a: Int } type Query { n: N }');

function mergeOf(text: string, outputRewrites: FetchStep['outputRewrites'] = []) {
  const [definition] = parse(text, { noLocation: true }).definitions;
  const selection: SelectionSetNode =
    definition?.kind === Kind.OPERATION_DEFINITION
      ? definition.selectionSet
      : { kind: Kind.SELECTION_SET, selections: [] };
  return compileMerge(schema, {
    kind: 'fetch',
    system: 's',
    operation: text,
    operationName: undefined,
    operationKind: 'query' as FetchStep['operationKind'],
    variableNames: [],
    path: [],
    requires: undefined,
    selection,
    fragments: new Map(),
    inputRewrites: [],
    outputRewrites,
    contextRewrites: [],
  });
}
const json = (text: string) => JSON.parse(text) as DataObject;

describe('merging', () => {
  it('puts objects and lists of equal length together, key by key', () => {
    const target = json('{"a":{"x":1},"list":[{"id":1},null,[{"n":1}]]}');
    mergeOf('{ a { y } list { name m } }')(
      target,
      json('{"a":{"y":2},"list":[{"name":"n"},null,[{"m":2}]]}'),
      false,
    );
    expect(target).toEqual({ a: { x: 1, y: 2 }, list: [{ id: 1, name: 'n' }, null, [{ n: 1, m: 2 }]] });
  });

  it('never lets a null take away what another answered', () => {
    const target = json('{"a":1,"b":{"c":2},"d":null}');
    mergeOf('{ a b { c } d { e } f }')(target, json('{"a":null,"b":null,"d":{"e":3},"f":null}'), false);
    expect(target).toEqual({ a: 1, b: { c: 2 }, d: { e: 3 }, f: null });
  });

  it('takes nothing that was not asked', () => {
    const target: DataObject = {};
    mergeOf('{ a }')(target, json('{"a":1,"b":2,"__proto__":{"polluted":1}}'), false);
    expect(JSON.stringify(target)).toBe('{"a":1}');
  });

  it('makes copies for a second place, so that two never share an object', () => {
    const source = json('{"inner":{"n":1,"deep":[{"m":1}]}}');
    const [first, second]: [DataObject, DataObject] = [{}, {}];
    const merge = mergeOf('{ inner { n deep { m } } }');
    merge(first, source, false);
    merge(second, source, true);
    const inner = first.inner as DataObject;
    inner.n = 2;
    (inner.deep as DataObject[]).push({});
    expect(second).toEqual({ inner: { n: 1, deep: [{ m: 1 }] } });
  });

  it.each(['__proto__', 'constructor', 'toString', 'then', 'hasOwnProperty', '__defineGetter__'])(
    'keeps a value under the name %s as data of its own',
    (name) => {
      const target: DataObject = {};
      const source = json(`{"${name}":{"polluted":"yes"}}`);
      const merge = mergeOf(`{ ${name} { polluted } }`);
      merge(target, source, false);
      merge(target, source, true);
      expect(JSON.stringify(target)).toBe(`{"${name}":{"polluted":"yes"}}`);
      expect(Object.getPrototypeOf(target)).toBe(Object.prototype);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      const absent: DataObject = {};
      merge(absent, {}, false);
      expect(Object.keys(absent)).toEqual([]);
    },
  );

  it('never lets the name of an interface replace the name of a type', () => {
    const [target, other]: [DataObject, DataObject] = [{ __typename: 'T' }, {}];
    const merge = mergeOf('{ __typename a }');
    merge(target, { __typename: 'N', a: 1 }, false);
    merge(other, { __typename: 'N', a: 1 }, false);
    expect([target.__typename, other.__typename]).toEqual(['T', 'N']);
    merge(other, { __typename: 'T', a: 1 }, false);
    expect(other.__typename).toBe('T');
  });

  it('knows what an output rewrite renamed', () => {
    const target: DataObject = {};
    mergeOf('{ a { x_0 } }', [{ kind: 'rename', path: ['a', '... on T', 'x_0'], to: 'x' }])(
      target,
      json('{"a":{"x":1}}'),
      true,
    );
    expect(target).toEqual({ a: { x: 1 } });
  });

  it('does not follow lists that a subgraph nests without end', () => {
    const bomb = json(`{"a":[null,${'['.repeat(5_000)}${']'.repeat(5_000)}]}`);
    const merge = mergeOf('{ a { x } }');
    const target: DataObject = {};
    merge(target, bomb, true);
    merge(target, bomb, false);
    expect(Object.keys(target)).toEqual(['a']);
  });
});
