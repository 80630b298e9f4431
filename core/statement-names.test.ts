import { describe, expect, it } from 'vitest';
import { COUNTED_MAX, createStatementNames, NAMED_MAX, SEEN_MIN } from './statement-names.ts';

const often = (nameOf: (text: string) => string | undefined, text: string) =>
  Array.from({ length: SEEN_MIN }, () => nameOf(text)).at(-1);

describe('names of statements', () => {
  it('are given to texts that come again, one to each, for good', () => {
    const nameOf = createStatementNames();
    expect(nameOf('SELECT 1')).toBeUndefined();
    const one = often(nameOf, 'SELECT 1');
    const other = often(nameOf, 'SELECT 2');
    expect([one, other]).not.toContain(undefined);
    expect(one).not.toBe(other);
    expect(nameOf('SELECT 1')).toBe(one);
  });

  it('are bounded, and what has one keeps it', () => {
    const nameOf = createStatementNames();
    const first = often(nameOf, 'SELECT 0');
    for (let text = 1; text < NAMED_MAX; text += 1)
      expect(often(nameOf, `SELECT ${text}`)).toEqual(expect.any(String));
    expect(often(nameOf, 'SELECT more')).toBeUndefined();
    expect(nameOf('SELECT 0')).toBe(first);
  });

  it('forget what came once', () => {
    const nameOf = createStatementNames();
    for (let seen = 1; seen < SEEN_MIN; seen += 1) nameOf('SELECT old');
    for (let text = 0; text < COUNTED_MAX; text += 1) nameOf(`SELECT ${text}`);
    expect(nameOf('SELECT old')).toBeUndefined();
  });
});
