// Laws of putting answers together.
import { describe, expect, it } from 'vitest';
import { copyData, createObject, type DataObject, findTargets, mergeObject } from './data.ts';

const data = (value: unknown) => copyData(value, 20) as DataObject;
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('mergeObject', () => {
  it('puts objects and lists of equal length together, key by key', () => {
    const target = data({ a: { x: 1 }, list: [{ id: 1 }, null, [{ n: 1 }]] });
    mergeObject(target, data({ a: { y: 2 }, list: [{ name: 'n' }, null, [{ m: 2 }]] }));
    expect(plain(target)).toEqual({
      a: { x: 1, y: 2 },
      list: [{ id: 1, name: 'n' }, null, [{ n: 1, m: 2 }]],
    });
  });

  it('never lets a null take away what another answered', () => {
    const target = data({ a: 1, b: { c: 2 }, d: null });
    mergeObject(target, data({ a: null, b: null, d: { e: 3 } }));
    expect(plain(target)).toEqual({ a: 1, b: { c: 2 }, d: { e: 3 } });
  });

  it('copies what it puts in, so that two places never share an object', () => {
    const source = data({ inner: { n: 1 } });
    const [first, second] = [createObject(), createObject()];
    mergeObject(first, source);
    mergeObject(second, source);
    (first.inner as DataObject).n = 2;
    expect(plain([second, source])).toEqual([{ inner: { n: 1 } }, { inner: { n: 1 } }]);
  });

  it('keeps __proto__ and constructor as data', () => {
    const target = createObject();
    mergeObject(
      target,
      data(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')),
    );
    expect(Object.keys(target)).toEqual(['__proto__', 'constructor']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('copyData', () => {
  it('gives nothing for what is nested deeper than it may', () => {
    expect(copyData({ a: [{ b: 1 }] }, 3)).toBeDefined();
    expect(copyData({ a: [{ b: {} }] }, 3)).toBeUndefined();
  });
});

describe('findTargets', () => {
  const root = data({
    a: [
      [{ b: { n: 1 } }, null],
      [{ b: null }, { b: { n: 2 } }],
    ],
    c: 'text',
  });

  it('goes through lists of lists, leaves nulls out and keeps the indices', () => {
    expect(plain(findTargets(root, ['a', '@', '@', 'b']))).toEqual([
      { object: { n: 1 }, path: ['a', 0, 0, 'b'] },
      { object: { n: 2 }, path: ['a', 1, 1, 'b'] },
    ]);
  });

  it.each([[['c']], [['nothing']], [['a', 'b']], [['__proto__']], [['constructor']]])(
    'finds nothing at %j',
    (path) => {
      expect(findTargets(root, path)).toEqual([]);
    },
  );
});
