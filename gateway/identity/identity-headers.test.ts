import { describe, expect, it } from 'vitest';
import { isIdentityHeader } from './identity-headers.ts';

describe('an identity header', () => {
  it.each([
    'x-weft-principal',
    'x-weft-deadline-ms',
    'x-hub-user',
    'x-hub-scopes',
    'x-user-id',
    'x_user_id',
    'x-forwarded-user',
    'remote_user',
  ])('is %s', (name) => expect(isIdentityHeader(name)).toBe(true));

  it.each(['x-department', 'accept-language', 'authorization', 'x-weather', 'x-users'])('is not %s', (name) =>
    expect(isIdentityHeader(name)).toBe(false),
  );
});
