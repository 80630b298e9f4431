import { describe, expect, it } from 'vitest';
import { Slab } from './slab.ts';

const SLAB_BYTES = 131_072;

describe('memory of frames', () => {
  it('is used again when it was given back, and not before', () => {
    const slab = new Slab();
    const first = slab.take(10);
    const second = slab.take(10);
    first.fill('a');
    second.fill('b');
    expect(first.toString()).toBe('a'.repeat(10));
    slab.giveBack(second);
    const third = slab.take(5).fill('c');
    expect([third.buffer, third.byteOffset]).toEqual([second.buffer, second.byteOffset]);
    expect(first.toString()).toBe('a'.repeat(10));
  });

  it('is not used again where something behind it is still read', () => {
    const slab = new Slab();
    const first = slab.take(10);
    const second = slab.take(10).fill('b');
    slab.giveBack(first);
    slab.take(20).fill('c');
    expect(second.toString()).toBe('b'.repeat(10));
  });

  it('is new when it is full, and of its own for what is longer', () => {
    const slab = new Slab();
    const first = slab.take(SLAB_BYTES - 1).fill('a');
    const second = slab.take(2).fill('b');
    expect(second.buffer).not.toBe(first.buffer);
    slab.giveBack(first);
    expect(slab.take(2).fill('c').byteOffset).toBe(2);
    expect(second.toString()).toBe('bb');
    const long = slab.take(SLAB_BYTES + 1);
    expect([long.length, long.buffer.byteLength]).toEqual([SLAB_BYTES + 1, SLAB_BYTES + 1]);
    slab.giveBack(long);
    expect(slab.take(1).byteOffset).toBe(4);
  });
});
