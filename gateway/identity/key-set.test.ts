import { HubError } from '@weft/core/errors';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseKeySet } from './key-set.ts';

const PUBLIC: JWK = await exportJWK((await generateKeyPair('ES256')).publicKey);

describe('a key set', () => {
  it('has its public keys and no other', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const keys = [
      { ...PUBLIC, kid: 'good' },
      { kty: 'oct', k: 'c2VjcmV0', kid: 'shared' },
      { ...(await exportJWK(privateKey)), kid: 'private' },
      null,
      'text',
      { kid: 'nothing' },
    ];
    const { kids, jwks } = parseKeySet(JSON.stringify({ keys }), 10);
    expect([...kids]).toEqual(['good']);
    expect(jwks.size).toBe(1);
  });

  it.each([
    ['nothing', ''],
    ['no object', '[]'],
    ['null', 'null'],
    ['no keys', '{}'],
    ['no public key', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'],
    ['too many keys', JSON.stringify({ keys: Array.from({ length: 11 }, () => PUBLIC) })],
  ])('with %s is refused', (_what, text) => {
    expect(() => parseKeySet(text, 10)).toThrow(HubError);
  });
});
