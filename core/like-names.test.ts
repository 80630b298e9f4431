import { describe, expect, it } from 'vitest';
import { likeNames } from './like-names.ts';

describe('names that are like a text', () => {
  it.each([
    ['conect', ['connect']],
    ['Strng', ['String']],
    ['stall', ['Stall']],
    ['nam', ['name', 'rename']],
    ['x', []],
    ['', []],
    ['y'.repeat(100_000), []],
  ])('of %.20s are %j', (text, like) => {
    expect(likeNames(text, ['connect', 'String', 'Stall', 'name', 'id', 'rename'])).toEqual(like);
  });

  it('are three at most, those that need fewer letters changed first', () => {
    expect(likeNames('water-a', ['water-c', 'water-ab', 'water', 'waters', 'fire'])).toEqual([
      ...['water-c', 'water-ab', 'water'],
    ]);
  });
});
