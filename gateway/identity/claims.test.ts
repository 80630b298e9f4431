import { describe, expect, it } from 'vitest';
import { type ClaimNames, principalOf } from './claims.ts';
import { CredentialsRefused } from './credentials.ts';

const NAMES: ClaimNames = { roles: 'roles', division: 'division', department: 'department' };
const principal = (payload: object, names = NAMES) =>
  principalOf({ sub: 'worker', iss: 'issuer', exp: 100, ...payload }, names, 5_000);

describe('the claims of a token', () => {
  it('become a principal', () => {
    const claims = { roles: ['grid-worker', 'duty-officer'], scope: 'b a', division: '320508' };
    expect(principal(claims)).toMatchObject({
      isAuthenticated: true,
      subject: 'worker',
      issuer: 'issuer',
      roles: ['duty-officer', 'grid-worker'],
      scopes: ['a', 'b'],
      division: '320508',
      expiresAtMs: 105_000,
    });
  });

  it('may hold scopes in scope and in scp, as a text or as a list', () => {
    expect(principal({ scope: 'a', scp: ['b', 'a'] }).scopes).toEqual(['a', 'b']);
    expect(principal({ scp: 'a b' }).scopes).toEqual(['a', 'b']);
    expect(principal({}).scopes).toEqual([]);
  });

  it('are found under other names and along a path; a name with dots comes before a path', () => {
    const names = { roles: 'realm_access.roles', division: 'https://gov.test/division' };
    expect(principal({ realm_access: { roles: ['r'] } }, names).roles).toEqual(['r']);
    expect(principal({ 'realm_access.roles': ['own'], realm_access: { roles: ['r'] } }, names).roles).toEqual(
      ['own'],
    );
    expect(principal({ 'https://gov.test/division': '32' }, names).division).toBe('32');
    expect(principal({}, { ...names, roles: 'toString' }).roles).toEqual([]);
  });

  it.each(['32', '3205', '320508', '320508017', '320508017007'])('may name the division %s', (division) => {
    expect(principal({ division }).division).toBe(division);
  });

  it('may name the department that the asker works for', () => {
    expect(principal({ department: 'urban-management' }).department).toBe('urban-management');
    expect(principal({}).department).toBeUndefined();
  });

  it.each([
    { sub: '' },
    { sub: 1 },
    { roles: { admin: true } },
    { roles: [1] },
    { roles: [''] },
    { scope: 5 },
    { division: 320508 },
    { division: '3' },
    { division: '320508 ' },
    { division: '苏州' },
    { department: 7 },
    { department: '城管' },
  ])('are refused when they are not what they should be: %j', (claims) => {
    expect(() => principal(claims)).toThrow(CredentialsRefused);
  });
});
