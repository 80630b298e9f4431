import { describe, expect, it } from 'vitest';
import { endingOf, WeftError } from './ending.ts';

const closed = (code: number) => endingOf({ code, reason: 'why' });
const failed = (code: string) => endingOf([{ message: 'm', extensions: { code } }]);

describe('the end of a stream', () => {
  it.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 4408, 4429, 4499, 4500, 4502, 4503, 4504])(
    'is worth another try after close code %i',
    (code) => expect(closed(code)).toMatchObject({ verdict: 'again', isOfConnection: true }),
  );

  it.each([1002, 1003, 1007, 1008, 1009, 4400, 4406, 4409, 4410])('is final after close code %i', (code) =>
    expect(closed(code).verdict).toBe('final'),
  );

  it.each([4401, 4403])('asks for another token after close code %i', (code) =>
    expect(closed(code).verdict).toBe('credentials'),
  );

  it.each([
    ['STORE_UNAVAILABLE', 'again'],
    ['RATE_LIMITED', 'again'],
    ['INTERNAL_SERVER_ERROR', 'again'],
    ['UNAUTHENTICATED', 'credentials'],
    ['INVALID_CURSOR', 'final'],
    ['FORBIDDEN', 'final'],
    ['GRAPHQL_VALIDATION_FAILED', 'final'],
    ['SUBSCRIPTION_SCHEMA_RELOAD', 'final'],
  ])('is judged by its code: %s, %s', (code, verdict) => {
    expect(failed(code)).toMatchObject({ verdict, isOfConnection: false, error: { code } });
  });

  it('is another try for one that was cut off because it took nothing, and for no other limit', () => {
    const limited = (limit: string) =>
      endingOf([{ message: 'm', extensions: { code: 'LIMIT_EXCEEDED', limit } }]);
    expect(limited('slowClientTimeoutMs').verdict).toBe('again');
    expect(limited('documentDepthMax').verdict).toBe('final');
  });

  it('is another try for a connection that could not be opened, and no further one for what the client itself refused', () => {
    expect(endingOf(new Error('refused'))).toMatchObject({ verdict: 'again', error: { code: 'CONNECTION' } });
    expect(endingOf(new WeftError('DOCUMENT', 'm')).verdict).toBe('final');
  });
});
