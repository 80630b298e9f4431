import { HubError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { fromStoreError, isDataError, isStoreAway, isTimedOut } from './store.ts';

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

describe('an error of the data', () => {
  it.each([
    error('any', { code: '22021' }),
    error('any', { code: '23505' }),
    error('any', { code: '54000' }),
    error('any', { code: 'P2010', meta: { code: '22P02' } }),
    error('any', {
      code: 'P2002',
      meta: { driverAdapterError: error('UniqueConstraintViolation', { cause: { originalCode: '23505' } }) },
    }),
    new HubError('LIMIT_EXCEEDED', 'too long'),
    new HubError('BAD_USER_INPUT', 'no'),
  ])('is one that the store or a limit refuses however often it is tried: %s', (thrown) => {
    expect(isDataError(thrown)).toBe(true);
    expect(isStoreAway(thrown)).toBe(false);
  });

  it.each([
    error('any', { code: '40P01' }),
    error('any', { code: '58030' }),
    error('any', { code: 'P2034' }),
    error('connect EHOSTUNREACH 192.0.2.1:5432', { code: 'EHOSTUNREACH' }),
    error('getaddrinfo EAI_AGAIN db', { code: 'EAI_AGAIN' }),
    new HubError('STORE_UNAVAILABLE', 'away', { cause: error('any', { code: '23505' }) }),
    error('22P02'),
    'text',
    undefined,
  ])('is none that may pass, and none that nobody knows: %s', (thrown) => {
    expect(isDataError(thrown)).toBe(false);
  });
});

describe('a time-out', () => {
  it('is that of a statement or of a transaction, and no lost connection', () => {
    expect(isTimedOut(error('canceling statement due to statement timeout', { code: '57014' }))).toBe(true);
    const expired = 'A query cannot be executed on an expired transaction. The timeout was 10000 ms';
    expect(isTimedOut(error('any', { code: 'P2028', cause: error(expired) }))).toBe(true);
    expect(isTimedOut(error('connect ETIMEDOUT'))).toBe(false);
  });
});
