// What passes the framework by is answered as the framework's route answers it, header by header.
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { createLogger } from '@weft/core/logger';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { type LibraryGateways, startLibraryGateway } from './edge-gateway.ts';

const lines: string[] = [];
let rig: LibraryGateways;
let origin: string;

beforeAll(async () => {
  rig = await startLibraryGateway(createLogger('test', 'info', { write: (line) => void lines.push(line) }));
  origin = new URL((await rig.start({})).urls.graphql ?? '').origin;
});
afterAll(() => rig?.close());
beforeEach(() => {
  lines.length = 0;
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function ask(path: string, body: string, headers: RequestOptions['headers'] = {}): Promise<Answer> {
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${origin}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          headers: { ...response.headers, date: '' },
          body: Buffer.concat(chunks),
        }),
      );
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** The door looks at the whole URL, routes at its path. */
const PAST_THE_DOOR = '/graphql?';

const query = (text: string, more: object = {}) => JSON.stringify({ query: text, ...more });
const TRACE = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
const LONG = query(`{ ${Array.from({ length: 90 }, (_, index) => `a${index}: me { name }`).join(' ')} }`);

describe('the direct door', () => {
  it.each<[what: string, body: string, headers?: Record<string, string>]>([
    ['an answer with text beyond ASCII', query('{ me { name } }')],
    ['an answer of ASCII alone', query('{ me { id } }')],
    ['variables', query('query ($n: Int) { people(first: $n) { id } }', { variables: { n: 1 } })],
    ['a client that takes anything', query('{ me { name } }'), { accept: '*/*' }],
    ['an answer that is worth compressing', LONG, { 'accept-encoding': 'gzip' }],
    ['a document that is not valid', query('{ nothing }')],
    ['a document that is not GraphQL', query('{')],
    [
      'a hash that nobody knows',
      `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'0'.repeat(64)}"}}}`,
    ],
    ['a body that is not JSON', '{"query"'],
    ['a body that is no object', '3'],
    ['a subscription', query('subscription { me { id } }')],
    ['credentials that are not taken', query('{ me { id } }'), { authorization: 'Bearer x' }],
    ['an operation above a limit', query(`{ me { ${'boss { '.repeat(40)} id ${'} '.repeat(40)} } }`)],
  ])('answers %s as the route does', async (_what, body, headers = {}) => {
    const direct = await ask('/graphql', body, { ...TRACE, ...headers });
    const routed = await ask(PAST_THE_DOOR, body, { ...TRACE, ...headers });
    expect(direct).toEqual(routed);
    expect(direct.headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('writes the same line of an operation', async () => {
    await ask('/graphql', query('query Named { me { name } }'), TRACE);
    await ask(PAST_THE_DOOR, query('query Named { me { name } }'), TRACE);
    await waitFor('two lines', () => lines.length >= 2);
    const [direct, routed] = lines.map((line) => ({
      ...(JSON.parse(line) as Readonly<Record<string, unknown>>),
      time: '',
      durationMs: 0,
    }));
    expect(direct).toMatchObject({ operationName: 'Named', outcome: 'ok', fetches: 1 });
    expect(direct).toEqual(routed);
  });

  it.each([
    ['another type', { 'content-type': 'text/plain' }, 415],
    ['a content coding', { 'content-encoding': 'gzip' }, 415],
    ['a type that it has not', { accept: 'text/html' }, 406],
    [
      'more headers than the limit',
      Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, '1'])),
      431,
    ],
    ['a body above the limit', { 'content-length': '1000001' }, 413],
  ])('leaves %s to the routes', async (_what, headers, status) => {
    const answer = await ask('/graphql', query('{ me { id } }'), headers);
    expect(answer.status).toBe(status);
  });

  it('writes a line of an operation whose client is gone before all of it came', async () => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => {
      socket.write(
        'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query"',
      );
      setImmediate(() => socket.destroy());
    });
    const line = await waitFor('the line', () =>
      lines
        .map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>)
        .find(({ msg, code }) => msg === 'operation' && code === 'BAD_USER_INPUT'),
    );
    expect(line).toMatchObject({ transport: 'http', outcome: 'refused', code: 'BAD_USER_INPUT' });
  });
});
