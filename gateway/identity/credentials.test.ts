import { describe, expect, it } from 'vitest';
import { CredentialsRefused, connectionCredentials, readBearer } from './credentials.ts';

describe('a bearer token', () => {
  it('is read from its header, whatever the case of the scheme', () => {
    expect(readBearer('Bearer a.b.c', 100)).toBe('a.b.c');
    expect(readBearer('bearer   a.b-_~+/c==', 100)).toBe('a.b-_~+/c==');
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'a.b.c',
    'Bearer a b',
    'Bearer a,Bearer b',
    'Bearer é',
    'Bearer a\n',
    ['Bearer a'],
    1,
  ])('is not in %j', (authorization) => {
    expect(() => readBearer(authorization, 100)).toThrow(CredentialsRefused);
  });

  it('has at most so many bytes, before anything else of it is looked at', () => {
    expect(readBearer(`Bearer ${'a'.repeat(100)}`, 100)).toHaveLength(100);
    expect(() => readBearer(`Bearer ${'a'.repeat(101)}`, 100)).toThrow(CredentialsRefused);
    const startedAt = performance.now();
    expect(() => readBearer(`Bearer ${' '.repeat(5_000_000)}`, 100)).toThrow(CredentialsRefused);
    expect(performance.now() - startedAt).toBeLessThan(50);
  });
});

describe('the credentials of a connection', () => {
  it('are of its upgrade or of its ConnectionInit', () => {
    const none = { authorization: undefined, apiKey: undefined };
    expect(connectionCredentials({})).toEqual(none);
    expect(connectionCredentials({}, { authorization: null })).toEqual(none);
    expect(connectionCredentials({ authorization: 'a' })).toEqual({ ...none, authorization: 'a' });
    expect(connectionCredentials({ 'x-api-key': 'k' })).toEqual({ ...none, apiKey: 'k' });
    expect(connectionCredentials({}, { Authorization: 'a' })).toEqual({ ...none, authorization: 'a' });
    expect(connectionCredentials({}, { apiKey: 'k' })).toEqual({ ...none, apiKey: 'k' });
  });

  it('are given once', () => {
    expect(() => connectionCredentials({ authorization: 'a' }, { authorization: 'a' })).toThrow(
      CredentialsRefused,
    );
    expect(() => connectionCredentials({ authorization: 'a' }, { apiKey: 'k' })).toThrow(CredentialsRefused);
    expect(() => connectionCredentials({}, { authorization: 'a', Authorization: 'a' })).toThrow(
      CredentialsRefused,
    );
  });
});
