import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, startStrictServer, whyNoOpenssl } from './certificates.ts';
import { restSdl, startWire, type Wire, wrap } from './wire.ts';

const FIELDS =
  'type Query { things: [Thing!] @connect(source: "api", http: { GET: "/things" }, select: "$.rows { id }") }';
const MUTUAL = 'tls: { ca: "api-ca", cert: "hub-cert", key: "hub-key" }';

describe.skipIf(whyNoOpenssl() !== undefined)('mutual TLS', () => {
  let authority: Authority;
  let wire: Wire;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    authority = createAuthority('city-ca');
    const server = authority.certify('localhost');
    const hub = authority.certify('hub');
    wire = await startWire(({ url }) => tokenOrRows(url), {
      ...server,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    env = {
      API: wire.url,
      TOKENS: `${wire.url}/token`,
      SECRET_API_CA: authority.cert,
      SECRET_HUB_CERT: hub.cert,
      SECRET_HUB_KEY: hub.key,
      SECRET_API_TOKEN: 'T',
      SECRET_API_CLIENT: 'id:secret',
    };
  });
  afterAll(() => wire?.close());

  function tokenOrRows(url: string) {
    return url === '/token'
      ? { body: '{"access_token":"from-mtls","token_type":"Bearer"}' }
      : { body: '{"rows":[{"id":"1"}]}' };
  }

  async function ask(rest: string, more: Readonly<Record<string, string>> = {}) {
    const wrapped = await wrap({ 'a.graphql': restSdl(rest, FIELDS) }, { ...env, ...more });
    try {
      wire.requests.length = 0;
      return await wrapped.ask('Query.things');
    } finally {
      await wrapped.close();
    }
  }

  it('shows its certificate, beside any auth', async () => {
    expect(await ask(`${MUTUAL}, auth: { bearer: "api-token" }`)).toEqual([{ id: '1' }]);
    expect(wire.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer T']);
  });

  it('shows it to the token endpoint too', async () => {
    const oauth2 = 'auth: { oauth2: { tokenUrl: "{$env.TOKENS}", client: "api-client" } }';
    expect(await ask(`${MUTUAL}, ${oauth2}`)).toEqual([{ id: '1' }]);
    expect(wire.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/token', `Basic ${Buffer.from('id:secret').toString('base64')}`],
      ['/base/things', 'Bearer from-mtls'],
    ]);
  });

  it('says that its certificate is refused, when it has none or one of another authority', async () => {
    const refused = { code: 'UPSTREAM_UNAVAILABLE', details: { reason: 'CREDENTIALS_REFUSED' } };
    const foreign = createAuthority('other-ca').certify('hub');
    const secrets = { SECRET_HUB_CERT: foreign.cert, SECRET_HUB_KEY: foreign.key };
    const strict = await startStrictServer(authority);
    try {
      await expect(ask('tls: { ca: "api-ca" }', { API: strict.url })).rejects.toMatchObject(refused);
      await expect(ask(MUTUAL, { ...secrets, API: strict.url })).rejects.toMatchObject(refused);
    } finally {
      strict.close();
    }
    // By TLS 1.3 the alert comes after the handshake, and the pool sees no more than the end.
    await expect(ask(MUTUAL, secrets)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { reason: 'UND_ERR_SOCKET' },
    });
    expect(wire.requests).toEqual([]);
  });

  it('calls nobody whose certificate does not hold', async () => {
    await expect(ask('format: JSON')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { reason: expect.stringMatching(/UNABLE_TO|SELF_SIGNED/) },
    });
    expect(wire.requests).toEqual([]);
  });

  it.each([
    [
      'a key of another certificate',
      () => ({ SECRET_HUB_KEY: authority.certify('x').key }),
      /hub-key\) cannot be used/,
    ],
    ['text that is no PEM', () => ({ SECRET_API_CA: 'not a certificate' }), /expected PEM/],
    [
      'an address that is not https',
      () => ({ API: 'http://127.0.0.1:1' }),
      /has tls, and its address .* is not https/,
    ],
  ])('does not start with %s', async (_name, more, message) => {
    await expect(ask(MUTUAL, more())).rejects.toThrow(message);
    await expect(ask(MUTUAL, more())).rejects.not.toThrow(/BEGIN|not a certificate/);
  });
});
