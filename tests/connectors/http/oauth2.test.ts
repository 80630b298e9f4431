import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import { restSdl, startWire, type Wire, type WireAnswer, type Wrapped, wrap } from './wire.ts';

const FIELDS = `type Query { things(no: ID): [Thing!] @connect(source: "api", http: { GET: "/things", query: "no: $args.no" }, select: "$.rows { id }") }
type Mutation { rename(no: ID): Thing @connect(source: "api", http: { POST: "/things", body: "no: $args.no" }, select: "id: $.id") }`;
const ID_AND_SECRET = '网格:p:w d+%';

/** An authorization server and the API behind it. */
interface Issuer {
  readonly tokens: Wire;
  readonly api: Wire;
  readonly wrapped: Wrapped;
  /** Tokens that the API lets in. */
  readonly valid: Set<string>;
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).toReversed()) await part.close();
});

async function start(
  more = '',
  answer?: (issued: number) => WireAnswer | Promise<WireAnswer>,
): Promise<Issuer> {
  const valid = new Set<string>();
  let issued = 0;
  const issue = (): WireAnswer => {
    const text = `token-${issued}`;
    valid.add(text);
    return json({ access_token: text, token_type: 'bearer', expires_in: 3600 });
  };
  const tokens = await startWire(() => {
    issued += 1;
    return answer === undefined ? issue() : answer(issued);
  });
  const api = await startWire(({ headers }) => {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    return valid.has(token) ? json({ id: '1', rows: [{ id: '1' }] }) : { status: 401 };
  });
  open.push(tokens, api);
  const sdl = restSdl(
    `auth: { oauth2: { tokenUrl: "{$env.TOKENS}/token?t=1", client: "api-client" ${more} } }`,
    FIELDS,
  );
  const env = { API: api.url, TOKENS: tokens.url, SECRET_API_CLIENT: ID_AND_SECRET };
  const wrapped = await wrap({ 'a.graphql': sdl }, env);
  open.push(wrapped);
  return { tokens, api, wrapped, valid };
}

function json(value: unknown, status = 200): WireAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

describe('oauth2', () => {
  it('fetches one token for calls that come at once, and keeps it', async () => {
    const { tokens, api, wrapped } = await start(', scope: "things.read things.write"');
    await Promise.all(Array.from({ length: 8 }, () => wrapped.ask('Query.things')));
    await wrapped.ask('Query.things');
    expect(api.requests).toHaveLength(9);
    expect(tokens.requests).toHaveLength(1);
    const [{ method, url, headers, body } = expect.fail()] = tokens.requests;
    expect([method, url]).toEqual(['POST', '/token?t=1']);
    expect(Object.fromEntries(new URLSearchParams(body.toString()))).toEqual({
      grant_type: 'client_credentials',
      scope: 'things.read things.write',
    });
    // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
    const [id, secret] = Buffer.from(String(headers.authorization).slice(6), 'base64').toString().split(':');
    expect([id, secret].map((part) => new URLSearchParams(`v=${part}`).get('v'))).toEqual([
      '网格',
      'p:w d+%',
    ]);
  });

  it('gives its secret in the form where the endpoint wants it there', async () => {
    const { tokens, wrapped } = await start(', clientAuth: POST');
    await wrapped.ask('Query.things');
    const form = new URLSearchParams(tokens.requests[0]?.body.toString());
    expect([form.get('client_id'), form.get('client_secret')]).toEqual(['网格', 'p:w d+%']);
    expect(tokens.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('renews a token that is refused, once, and sends reads again', async () => {
    const { tokens, api, wrapped, valid } = await start();
    await wrapped.ask('Query.things');
    valid.clear();
    await Promise.all(Array.from({ length: 5 }, () => wrapped.ask('Query.things')));
    expect(tokens.requests).toHaveLength(2);
    expect(api.requests.filter(({ headers }) => headers.authorization === 'Bearer token-2')).toHaveLength(5);
  });

  it('does not send a write again, and has a new token for the next one', async () => {
    const { tokens, api, wrapped, valid } = await start();
    await wrapped.ask('Query.things');
    valid.clear();
    const refused = {
      code: 'UPSTREAM_UNAVAILABLE',
      details: { reason: 'CREDENTIALS_REFUSED', upstreamStatus: 401 },
    };
    await expect(wrapped.ask('Mutation.rename')).rejects.toMatchObject(refused);
    expect(api.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(await wrapped.ask('Mutation.rename')).toEqual([{ id: '1' }]);
    expect(tokens.requests).toHaveLength(2);
  });

  it('asks no more than twice when every token is refused', async () => {
    const answer = (issued: number) => json({ access_token: `bad-${issued}`, token_type: 'Bearer' });
    const { tokens, api, wrapped } = await start('', answer);
    await expect(wrapped.ask('Query.things')).rejects.toMatchObject({
      details: { reason: 'CREDENTIALS_REFUSED' },
    });
    expect([tokens.requests.length, api.requests.length]).toEqual([2, 2]);
  });

  it('does not use a token up to its end', async () => {
    const answer = () => json({ access_token: 'short', token_type: 'Bearer', expires_in: 1 });
    const { tokens, wrapped, valid } = await start('', answer);
    valid.add('short');
    await wrapped.ask('Query.things');
    await waitFor('a second token', async () => {
      await wrapped.ask('Query.things');
      return tokens.requests.length === 2;
    });
  });

  it.each([
    ['an outage', { status: 503 }, { upstreamStatus: 503 }],
    ['HTML', { body: '<html>' }, { reason: 'NO_TOKEN' }],
    ['another kind of token', json({ access_token: 'x', token_type: 'mac' }), { reason: 'NO_TOKEN' }],
    [
      'a token with a line end',
      json({ access_token: 'x\r\nx-a: b', token_type: 'Bearer' }),
      { reason: 'NO_TOKEN' },
    ],
    ['a body without end', { body: ' '.repeat(100_000) }, { limit: 'responseBytesMax' }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, { upstreamStatus: 302 }],
  ])('blames the token endpoint for %s', async (_name, answer, details) => {
    const { api, wrapped } = await start('', () => answer);
    await expect(wrapped.ask('Query.things')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      hadNoEffect: true,
      message: expect.stringContaining('token endpoint'),
      details: { at: 'TOKEN_ENDPOINT', source: 'api', ...details },
    });
    expect(api.requests).toHaveLength(0);
  });

  it('does not show credentials again at once that were refused', async () => {
    const { tokens, wrapped } = await start('', () =>
      json({ error: 'invalid_client', error_description: 'p:w' }, 401),
    );
    const refused = {
      details: { at: 'TOKEN_ENDPOINT', reason: 'CREDENTIALS_REFUSED', oauthError: 'invalid_client' },
    };
    await expect(wrapped.ask('Query.things')).rejects.toMatchObject(refused);
    await expect(wrapped.ask('Query.things')).rejects.toMatchObject(refused);
    expect(tokens.requests).toHaveLength(1);
  });

  it('leaves the token to the others when the caller who asked for it leaves', async () => {
    const { promise, resolve } = Promise.withResolvers<WireAnswer>();
    const { tokens, wrapped, valid } = await start('', () => promise);
    valid.add('late');
    const leaving = new AbortController();
    const first = wrapped.ask('Query.things', {}, leaving.signal);
    const second = wrapped.ask('Query.things');
    await waitFor('the token to be asked for', () => tokens.requests.length === 1);
    leaving.abort(new DOMException('gone', 'AbortError'));
    await expect(first).rejects.toThrow();
    resolve(json({ access_token: 'late', token_type: 'Bearer' }));
    expect(await second).toEqual([{ id: '1' }]);
    expect(tokens.requests).toHaveLength(1);
  });

  it.each([
    ['TOKENS', 'ftp://x', /the token endpoint of source api \(\{\$env.TOKENS\}\/token\?t=1\)/],
    ['SECRET_API_CLIENT', 'no-colon', /secret "api-client": expected the client's id and its secret/],
  ])("is an operator's matter when %s is wrong", async (name, value, message) => {
    const sdl = restSdl(
      'auth: { oauth2: { tokenUrl: "{$env.TOKENS}/token?t=1", client: "api-client" } }',
      FIELDS,
    );
    const env = {
      API: 'http://127.0.0.1:1',
      TOKENS: 'http://127.0.0.1:1',
      SECRET_API_CLIENT: 'a:b',
      [name]: value,
    };
    await expect(wrap({ 'a.graphql': sdl }, env)).rejects.toThrow(message);
  });
});
