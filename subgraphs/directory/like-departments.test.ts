import { describe, expect, it } from 'vitest';
import { DEPARTMENTS } from './departments.ts';
import { likeDepartments } from './like-departments.ts';

describe('departments that are like a text', () => {
  it.each([
    ['urban-managment', ['urban-management']],
    ['urban_management', ['urban-management']],
    ['Police', ['police']],
    ['城管', ['urban-management']],
    ['城管局', ['urban-management']],
    ['公安局', ['police']],
    ['市场监督', ['market-supervision']],
    ['management', ['urban-management']],
    ['polcie', ['police']],
    ['no-such', []],
    ['p', []],
    ['', []],
    ['x'.repeat(100_000), []],
  ])('of %.20s are %j', (text, codes) => {
    expect(likeDepartments(text, DEPARTMENTS).map(({ code }) => code)).toEqual(codes);
  });

  it('are three at most, those that need fewer letters changed first', () => {
    const departments = ['water-c', 'water-ab', 'water', 'waters', 'fire'].map((code) => ({
      ...{ code, name: code, fullName: code },
    }));
    const like = likeDepartments('water-a', departments).map(({ code }) => code);
    expect(like).toEqual(['water-c', 'water-ab', 'water']);
  });
});
