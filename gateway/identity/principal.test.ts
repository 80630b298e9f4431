import { describe, expect, it } from 'vitest';
import { ANONYMOUS, createPrincipal } from './principal.ts';

describe('a principal', () => {
  it('is the same asker whatever scopes a new token has, but not of the same authority', () => {
    const before = createPrincipal({ subject: 'a', scopes: ['read'] });
    const after = createPrincipal({ subject: 'a', scopes: ['read', 'write'] });
    expect(after.id).toBe(before.id);
    expect(after.authority).not.toBe(before.authority);
  });

  it('has the same authority in whatever order and however often a role is named', () => {
    const one = createPrincipal({ subject: 'a', roles: ['x', 'y', 'x'] });
    expect(createPrincipal({ subject: 'a', roles: ['y', 'x'] }).authority).toBe(one.authority);
    expect(one.roles).toEqual(['x', 'y']);
  });

  it('is never another, however subject and issuer are joined, and never the anonymous one', () => {
    const askers = [
      createPrincipal({ subject: 'anonymous' }),
      createPrincipal({ subject: 'b', issuer: 'a' }),
      createPrincipal({ subject: 'a,b' }),
      createPrincipal({ subject: 'a","b' }),
      createPrincipal({ subject: '', issuer: 'anonymous' }),
      ANONYMOUS,
    ];
    expect(new Set(askers.map(({ id }) => id)).size).toBe(askers.length);
    expect(new Set(askers.map(({ authority }) => authority)).size).toBe(askers.length);
  });
});
