import { HubError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { fromStoreError, isStoreAway } from './store.ts';

const error = (message: string, fields: Record<string, unknown> = {}) =>
  Object.assign(new Error(message), fields);

describe('a failure of the store', () => {
  it.each([
    error('any', { code: 'P1001' }),
    error('any', { code: 'P2024' }),
    error('any', { code: 'P2010', meta: { code: '57P01' } }),
    error('any', { code: '08006' }),
    error('any', { code: '53300' }),
    error('connect ECONNREFUSED 127.0.0.1:5432'),
    error('Connection terminated unexpectedly'),
    error('the database system is starting up'),
    error('outer', { cause: error('inner', { code: 'P1017' }) }),
  ])('is STORE_UNAVAILABLE and may be tried again: %s', (thrown) => {
    const hubError = fromStoreError(thrown);
    expect(hubError).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      origin: 'HUB',
      cause: thrown,
    });
    expect(hubError.message).not.toContain('127.0.0.1');
  });

  it.each([
    error('any', { code: 'P2002' }),
    error('any', { code: '23505' }),
    error('bug'),
    'text',
    undefined,
    null,
  ])('is our own bug when the store has answered: %s', (thrown) => {
    expect(isStoreAway(thrown)).toBe(false);
    expect(fromStoreError(thrown).code).toBe('INTERNAL_SERVER_ERROR');
  });

  it('keeps the code of what is a HubError already', () => {
    const conflict = new HubError('CONFLICT', 'no');
    expect(fromStoreError(conflict)).toBe(conflict);
  });

  it('ends on a cause that goes round in a circle', () => {
    const thrown = error('circle');
    thrown.cause = thrown;
    expect(isStoreAway(thrown)).toBe(false);
  });
});
