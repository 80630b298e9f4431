import { OperatorError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { readGatewayConfig } from '../config.ts';

const read = (env: Record<string, string>) =>
  readGatewayConfig({ WEFT_SUPERGRAPH_FILE: import.meta.filename, ...env }).identity;
const TOKENS = { WEFT_JWKS: 'https://issuer.test/jwks', WEFT_JWT_ISSUER: 'i', WEFT_JWT_AUDIENCE: 'a, b' };

describe('the settings of identity', () => {
  it('take nobody’s credentials unless they are told to', () => {
    expect(read({})).toEqual({ tokens: undefined, apiKeysFile: undefined });
  });

  it('take tokens of one issuer for the hub’s own audiences, signed by a private key', () => {
    const tokens = read(TOKENS)?.tokens;
    expect(tokens).toMatchObject({
      keys: { url: new URL('https://issuer.test/jwks') },
      rules: { issuer: 'i', audiences: ['a', 'b'], types: ['at+jwt', 'jwt'], clockToleranceMs: 5_000 },
    });
    expect(tokens?.rules.algorithms).not.toContain('none');
    expect(tokens?.rules.algorithms.filter((name) => name.startsWith('HS'))).toEqual([]);
  });

  it.each([
    [{ WEFT_JWKS: 'jwks.json' }, /needs WEFT_JWT_ISSUER and WEFT_JWT_AUDIENCE/],
    [{ WEFT_JWT_ISSUER: 'i' }, /need WEFT_JWKS/],
    [{ ...TOKENS, WEFT_JWKS: 'http://issuer.test/jwks' }, /WEFT_JWKS: expected https/],
    [{ ...TOKENS, WEFT_JWKS: 'ftp://issuer.test/jwks' }, /WEFT_JWKS: expected https/],
    [{ ...TOKENS, WEFT_JWT_ALGORITHMS: 'ES256,HS256' }, /WEFT_JWT_ALGORITHMS: .*got HS256/],
    [{ ...TOKENS, WEFT_JWT_ALGORITHMS: 'none' }, /WEFT_JWT_ALGORITHMS/],
    [{ ...TOKENS, WEFT_JWT_ALGORITHMS: ',' }, /WEFT_JWT_ALGORITHMS/],
    [{ ...TOKENS, WEFT_JWT_CLOCK_TOLERANCE_MS: '60001' }, /WEFT_JWT_CLOCK_TOLERANCE_MS/],
    [{ ...TOKENS, WEFT_JWT_ISSUER: 'weft-development', NODE_ENV: 'production' }, /is for demos/],
  ])('%j stop the start', (env, message) => {
    expect(() => read(env)).toThrow(OperatorError);
    expect(() => read(env)).toThrow(message);
  });

  it('take keys over plain HTTP from this machine alone', () => {
    expect(read({ ...TOKENS, WEFT_JWKS: 'http://127.0.0.1:1/jwks' })?.tokens?.keys).toHaveProperty('url');
    expect(read({ ...TOKENS, WEFT_JWKS: '/etc/weft/jwks.json' })?.tokens?.keys).toEqual({
      file: '/etc/weft/jwks.json',
    });
  });
});
