import { HubError } from '@weft/core/errors';
import { describe, expect, it } from 'vitest';
import { ENGINE_LIMITS } from '../limits.ts';
import { decodeAnswer } from './answer.ts';
import { isWithinDepth, looksWithinDepth } from './depth.ts';

function refusal(status: number, text: string, limits = {}): HubError {
  try {
    decodeAnswer('s', status, text, { ...ENGINE_LIMITS, ...limits });
  } catch (thrown) {
    if (thrown instanceof HubError) return thrown;
  }
  throw new Error('expected a HubError');
}

const nested = (depth: number) => `{"data":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`;

describe('an answer of a subgraph', () => {
  it.each([
    [200, '"ok"', 'UPSTREAM_INVALID', /neither data nor errors/],
    [200, 'null', 'UPSTREAM_INVALID', /neither data nor errors/],
    [200, '{"data":null}', 'UPSTREAM_INVALID', /data is null and there is no error/],
    [200, '{"data":[]}', 'UPSTREAM_INVALID', /data is not an object/],
    [200, '<html>', 'UPSTREAM_INVALID', /not JSON/],
    [302, '{"data":{"a":1}}', 'UPSTREAM_INVALID', /a redirect/],
    [503, 'busy', 'UPSTREAM_UNAVAILABLE', /HTTP 503/],
  ] as const)('of HTTP %i and the body %s is %s', (status, text, code, message) => {
    const error = refusal(status, text);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('is taken from a body with errors whatever its status, and after a byte order mark', () => {
    expect(decodeAnswer('s', 500, '{"errors":[{"message":"no"}]}', ENGINE_LIMITS).errors[0]?.error.code).toBe(
      'UPSTREAM_INVALID',
    );
    expect(decodeAnswer('s', 200, '\ufeff{"data":{"a":1}}', ENGINE_LIMITS).data).toEqual({ a: 1 });
  });

  it('has its errors bounded, and the rest counted in a last one', () => {
    const errors = Array.from({ length: 12 }, (_, index) => ({ message: `no ${index}`, path: ['a'] }));
    const answer = decodeAnswer('s', 200, JSON.stringify({ errors }), {
      ...ENGINE_LIMITS,
      upstreamErrorsMax: 10,
    });
    expect(answer.errors).toHaveLength(11);
    expect(answer.errors.at(-1)?.error).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: '2 more errors of s were left out.',
    });
  });

  it('is refused when it is nested too deep along its first elements, or anywhere when it is large', () => {
    expect(refusal(200, nested(200)).message).toMatch(/nested deeper than 100/);
    expect(decodeAnswer('s', 200, nested(99), ENGINE_LIMITS).errors).toEqual([]);
    const aside = nested(200).replace('"a":', '"b":1,"a":');
    expect(refusal(200, aside, { depthScanCharsMin: 100 }).message).toMatch(/nested deeper than 100/);
  });
});

describe('the depth of parsed JSON', () => {
  it('counts objects and lists, and agrees between both ways at the bound', () => {
    for (const [text, depth] of [
      ['1', 0],
      ['{}', 1],
      ['{"a":[{"b":1}]}', 3],
      ['[[[]]]', 3],
    ] as const) {
      const value: unknown = JSON.parse(text);
      expect([isWithinDepth(value, depth), looksWithinDepth(value, depth)]).toEqual([true, true]);
      if (depth > 0)
        expect([isWithinDepth(value, depth - 1), looksWithinDepth(value, depth - 1)]).toEqual([false, false]);
    }
  });

  it('is found without overflowing the stack, however deep it is', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(isWithinDepth(deep, 100)).toBe(false);
  });

  it('is found beside shallow elements', () => {
    expect(isWithinDepth(JSON.parse('[1,[2,[3,[4]]]]'), 3)).toBe(false);
  });
});
