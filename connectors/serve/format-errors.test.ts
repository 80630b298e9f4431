import { HubError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { formatError, formatExecution } from './format-errors.ts';

const logger = createLogger('test', 'silent');
const at = (originalError: Error | undefined, path: readonly (string | number)[] | undefined = ['a', 0]) =>
  formatError(new GraphQLError(originalError?.message ?? 'x', { originalError, path }), 'city', logger);

describe('formatError', () => {
  it('sends a HubError as it is, with its path', () => {
    const error = new HubError('UPSTREAM_UNAVAILABLE', 'city: no answer', {
      system: 'city',
      details: { source: 'api' },
    });
    expect(at(error)).toEqual({
      message: 'city: no answer',
      path: ['a', 0],
      extensions: { code: 'UPSTREAM_UNAVAILABLE', origin: 'PROVIDER', system: 'city', source: 'api' },
    });
  });

  it('blames the system for a value that does not fit, without repeating it', () => {
    const misfit = at(new GraphQLError('Int cannot represent non-integer value: "secret"'));
    expect(misfit.extensions).toMatchObject({ code: 'UPSTREAM_INVALID', system: 'city' });
    expect(misfit.message).not.toContain('secret');
    expect(at(new TypeError('Cannot return null for non-nullable field A.b.')).extensions?.code).toBe(
      'UPSTREAM_INVALID',
    );
  });

  it('hides what a bug says', () => {
    expect(at(new TypeError('x is not a function'))).toMatchObject({
      message: 'Internal error.',
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
  });
});

describe('formatExecution', () => {
  it('answers 200 to what was executed and 400 to what was not', () => {
    const failed = new GraphQLError('x', {
      path: ['a'],
      originalError: new HubError('UPSTREAM_INVALID', 'y'),
    });
    expect(formatExecution({ data: { a: null }, errors: [failed] }, 'city', logger).statusCode).toBe(200);
    const invalid = formatExecution({ errors: [new GraphQLError('Cannot query field "b"')] }, 'city', logger);
    expect(invalid.statusCode).toBe(400);
    expect(invalid.response.errors?.[0]?.extensions).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' });
  });
});
