import { compileMapping } from '@weft/schema/mapping/compile';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import type { HttpCall } from '../plan.ts';
import { buildRequest } from './client.ts';
import { decodeJsonAnswer } from './decode.ts';
import { encodeBody } from './encode.ts';

const context = { system: 'city', source: 'api', operation: 'GET /orders' };

const JSON_SOURCE = { format: 'JSON', encoding: 'utf-8' } as const;

describe('buildRequest', () => {
  const call: HttpCall = {
    protocol: 'rest',
    method: 'GET',
    path: compileMapping("'/orders'"),
    query: compileMapping('no: $args.no area: $args.area page: $args.page'),
    body: undefined,
  };

  it('encodes every query value and leaves a null one out', () => {
    const args = { no: 'a&b=c #路', area: null, page: 2 };
    const { path, method } = buildRequest(new URL('http://x/base/'), JSON_SOURCE, call, { args });
    expect(method).toBe('GET');
    expect(new URL(path, 'http://x').searchParams.get('no')).toBe('a&b=c #路');
    expect(path).toMatch(/^\/base\/orders\?no=a%26b%3Dc\+%23%E8%B7%AF&page=2$/);
  });

  it('sends a body as JSON', () => {
    const post: HttpCall = {
      ...call,
      method: 'POST',
      query: undefined,
      body: compileMapping('numbers: $batch.id'),
    };
    const request = buildRequest(new URL('http://x'), JSON_SOURCE, post, { batch: { id: ['1', '2'] } });
    expect(JSON.parse(String(request.body))).toEqual({ numbers: ['1', '2'] });
    expect(request.headers).toMatchObject({ 'content-type': 'application/json' });
  });
});

describe('a body in the charset of the source', () => {
  const bodyOf = (encoding: string) =>
    encodeBody({ name: '中𠮷\n', no: [1, null] }, { format: 'JSON', encoding });

  it.each(['utf-8', 'gb18030', 'gbk'])('is the same value in %s', (encoding) => {
    const { bytes, headers } = bodyOf(encoding);
    expect(JSON.parse(iconv.decode(bytes, encoding))).toEqual({ name: '中𠮷\n', no: [1, null] });
    const charset = encoding === 'utf-8' ? '' : `; charset=${encoding.toUpperCase()}`;
    expect(headers).toEqual({ 'content-type': `application/json${charset}` });
  });

  it('escapes what the charset lacks, and nothing else', () => {
    expect(iconv.decode(bodyOf('gbk').bytes, 'gbk')).toContain('中\\ud842\\udfb7');
  });
});

describe('decodeJsonAnswer', () => {
  const decode = (status: number, body: string | Buffer, contentType = 'application/json') =>
    decodeJsonAnswer({ status, contentType, body: Buffer.from(body) }, 'utf-8', context);

  it.each([
    [401, '', 'UPSTREAM_UNAVAILABLE'],
    [403, '{}', 'UPSTREAM_UNAVAILABLE'],
    [404, '{}', 'UPSTREAM_INVALID'],
    [302, '', 'UPSTREAM_INVALID'],
    [429, '', 'UPSTREAM_UNAVAILABLE'],
    [500, '{}', 'UPSTREAM_UNAVAILABLE'],
    [503, '<html>', 'UPSTREAM_UNAVAILABLE'],
    [200, '<html>', 'UPSTREAM_INVALID'],
    [200, '{"a":', 'UPSTREAM_INVALID'],
    [200, '', 'UPSTREAM_INVALID'],
    [200, Buffer.from([0x22, 0xff, 0x22]), 'UPSTREAM_INVALID'],
  ])('turns status %i with %s into %s', (status, body, code) => {
    expect(() => decode(status, body)).toThrow(
      expect.objectContaining({
        code,
        system: 'city',
        details: expect.objectContaining({ upstreamStatus: status }),
      }),
    );
  });

  it('takes an answer that has no content for an object without a field', () => {
    expect(decode(204, '')).toEqual({});
  });

  it('believes the charset that the answer names', () => {
    expect(decode(200, Buffer.from([0x22, 0xd6, 0xd0, 0x22]), 'application/json; charset=gbk')).toBe('中');
  });
});
