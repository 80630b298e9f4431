import { getHashes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hmac, sha256, sm3 } from './hmac-by-hand.ts';
import { restSdl, startWire, type Wire, type WireRequest, wrap } from './wire.ts';

const KEY = '密钥-0001';
const FIELDS = `type Query { things(no: ID): [Thing!] @connect(source: "api", http: { GET: "/a/{$args.no}", query: "z: 1 b: $args.no a: '路' " }, select: "$.rows { id }") }
type Mutation { rename(no: ID): Thing @connect(source: "api", http: { POST: "/things", body: "name: $args.no" }, select: "id: $.id") }`;
const ENV = { SECRET_API_HMAC: KEY, SECRET_API_APP: 'app-7' };

let wire: Wire;
beforeAll(async () => {
  wire = await startWire(() => ({ body: '{"id":"1","rows":[]}' }));
});
afterAll(() => wire?.close());

/** The one request that a call makes. */
async function requestOf(hmacArguments: string, field: string, no: string): Promise<WireRequest> {
  wire.requests.length = 0;
  const sdl = restSdl(`auth: { hmac: { secret: "api-hmac" ${hmacArguments} } }`, FIELDS);
  const wrapped = await wrap({ 'a.graphql': sdl }, { API: wire.url, ...ENV });
  await wrapped.ask(field, { no });
  await wrapped.close();
  expect(wire.requests).toHaveLength(1);
  return wire.requests[0] ?? expect.fail();
}

describe('the hash by hand', () => {
  it('is that of the standard', () => {
    // GB/T 32905-2016 annex A.1 and A.2.
    expect(sm3(Buffer.from('abc')).toString('hex')).toBe(
      '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0',
    );
    expect(sm3(Buffer.from('abcd'.repeat(16))).toString('hex')).toBe(
      'debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732',
    );
    // RFC 4231 section 4.3.
    expect(
      hmac(sha256, Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')).toString('hex'),
    ).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });
});

describe('a signed request', () => {
  it('signs what travels: method, path, query, time, nonce and the body that is not there', async () => {
    const { method, url, headers } = await requestOf('', 'Query.things', '路/1');
    const [path, query] = url.split('?');
    expect(path).toBe('/base/a/%E8%B7%AF%2F1');
    const { 'x-timestamp': timestamp, 'x-nonce': nonce, 'x-signature': signature } = headers;
    expect(Math.abs(Number(timestamp) - Date.now() / 1_000)).toBeLessThan(60);
    expect(nonce).toMatch(/^[0-9a-f]{32}$/);
    const noBody = sha256(Buffer.alloc(0)).toString('hex');
    const text = [method, path, query, timestamp, nonce, noBody].join('\n');
    expect(signature).toBe(hmac(sha256, Buffer.from(KEY), Buffer.from(text)).toString('hex'));
    expect(headers['x-key-id']).toBeUndefined();
  });

  it('never has one nonce twice', async () => {
    const nonces = await Promise.all([1, 2, 3].map(async () => 0)).then(async () => [
      (await requestOf('', 'Query.things', '1')).headers['x-nonce'],
      (await requestOf('', 'Query.things', '1')).headers['x-nonce'],
    ]);
    expect(new Set(nonces).size).toBe(2);
  });

  it.skipIf(!getHashes().includes('sm3'))(
    'signs with SM3 in the headers, the order and the format that the owner lays down',
    async () => {
      const { url, headers, body } = await requestOf(
        `keyId: "api-app", algorithm: SM3, encoding: BASE64, canonical: "{keyId}|{sortedQuery}|{timestamp}|{bodyHash}|{path}", signatureFormat: "HMAC {keyId}:{signature}", signatureHeader: "Authorization", timestampHeader: "X-Date", timestampFormat: ISO, keyIdHeader: "X-App"`,
        'Mutation.rename',
        '{path} 路灯',
      );
      expect(JSON.parse(body.toString())).toEqual({ name: '{path} 路灯' });
      expect(headers['x-date']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      const text = ['app-7', '', headers['x-date'], sm3(body).toString('hex'), url].join('|');
      const signature = hmac(sm3, Buffer.from(KEY), Buffer.from(text)).toString('base64');
      expect(headers.authorization).toBe(`HMAC app-7:${signature}`);
      expect(headers['x-app']).toBe('app-7');
      expect(headers['x-nonce']).toBeUndefined();
    },
  );

  it('signs the query in the order of its bytes where that is laid down', async () => {
    const { url, headers } = await requestOf('canonical: "{path}{sortedQuery}"', 'Query.things', '9');
    expect(url.split('?')[1]).toBe('z=1&b=9&a=%E8%B7%AF');
    const text = '/base/a/9a=%E8%B7%AF&b=9&z=1';
    expect(headers['x-signature']).toBe(hmac(sha256, Buffer.from(KEY), Buffer.from(text)).toString('hex'));
    expect(headers['x-timestamp']).toBeUndefined();
  });
});
