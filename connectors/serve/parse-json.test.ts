import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { parseJsonBodies } from './parse-json.ts';

describe('a JSON body', () => {
  const post = async (body: string, isOurs: boolean) => {
    const app = Fastify({ logger: false });
    if (isOurs) parseJsonBodies(app);
    app.post('/', async (request) => ({ got: request.body }));
    const headers = { 'content-type': 'application/json' };
    const { statusCode, payload } = await app.inject({ method: 'POST', url: '/', headers, body });
    await app.close();
    return { statusCode, answer: JSON.parse(payload) as unknown };
  };

  it.each([
    '{"a":[1,"二"]}',
    'null',
    '',
    '{',
    '{"a":1} ',
    '{"__proto__":{"x":1}}',
    '{"a":{"\\u005f_proto__":1}}',
    '{"a":{"__proto\\u005f_":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"c\\u006fnstructor":{"prototype":{"x":1}}}',
    '{"constructor":1}',
    '{"a":"__proto__"}',
    '{"a":"\\u4e8c"}',
  ])('is read, or refused, as Fastify does: %s', async (body) => {
    expect(await post(body, true)).toEqual(await post(body, false));
  });

  it('cannot hold a key that would change what objects inherit', async () => {
    expect((await post('{"a":{"\\u005f_proto__":{"x":1}}}', true)).statusCode).toBe(400);
  });
});
