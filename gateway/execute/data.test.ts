// Laws of reading and finding in answers that are put together.
import { describe, expect, it } from 'vitest';
import { type DataObject, findTargets, readOwn, writeOwn } from './data.ts';

describe('own properties', () => {
  it('are read as own, and never inherited', () => {
    expect(readOwn({}, 'constructor')).toBeUndefined();
    expect(readOwn(JSON.parse('{"constructor":1}'), 'constructor')).toBe(1);
  });

  it('are made under any name, and change no prototype', () => {
    const object: DataObject = {};
    writeOwn(object, '__proto__', { x: 1 });
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(JSON.stringify(object)).toBe('{"__proto__":{"x":1}}');
  });
});

describe('findTargets', () => {
  it('gives every object at a path through lists of lists, with where it lies', () => {
    const root: DataObject = { a: [[{ b: { n: 1 } }], [null, { b: null }], [{ b: { n: 2 } }]] };
    expect(findTargets(root, ['a', '@', '@', 'b']).map(({ path }) => path)).toEqual([
      ['a', 0, 0, 'b'],
      ['a', 2, 0, 'b'],
    ]);
  });

  it('takes a list where the path ends for its elements', () => {
    expect(findTargets({ a: [{}, null, {}] }, ['a']).map(({ path }) => path)).toEqual([
      ['a', 0],
      ['a', 2],
    ]);
  });

  it('leads nowhere by inherited names', () => {
    expect(findTargets({}, ['constructor'])).toEqual([]);
  });
});
