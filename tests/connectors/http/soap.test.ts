import { createHash } from 'node:crypto';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envelope, found, sentTo, soapSdl, TYPES, type Version, wsdl, xmlAnswer } from './soap-wire.ts';
import { startWire, type Wire, type WireAnswer, wrap } from './wire.ts';

const BOTH: readonly Version[] = ['SOAP_11', 'SOAP_12'];
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0';

let wire: Wire;
let answer: WireAnswer;
beforeAll(async () => {
  wire = await startWire(() => answer);
});
afterAll(() => wire?.close());

interface Asked {
  readonly soap?: string;
  readonly more?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly no?: string;
}

/** Opens the service and asks it once. */
async function ask({ soap = '', more = '', files, no = 'A1' }: Asked = {}) {
  const all = { 'a.graphql': soapSdl(soap, '', more), 'contracts/Case.wsdl': wsdl(BOTH), ...files };
  const wrapped = await wrap(all, { CASE: wire.url, SECRET_CASE_LOGIN: '网格:p&<d' });
  try {
    return await wrapped.ask('Query.cases', { no });
  } finally {
    await wrapped.close();
  }
}

describe('a SOAP source', () => {
  it.each([
    ['the 1.1 that its only binding says', wsdl(['SOAP_11']), '', 'SOAP_11'],
    ['the 1.2 that its only binding says', wsdl(['SOAP_12']), '', 'SOAP_12'],
    ['1.1 where both are bound', wsdl(BOTH), '', 'SOAP_11'],
    ['what the SDL says', wsdl(BOTH), 'version: SOAP_12', 'SOAP_12'],
  ] as const)('speaks %s', async (_name, contract, soap, version) => {
    answer = xmlAnswer(envelope(version, found('A1', 'A2')));
    expect(await ask({ soap, files: { 'contracts/Case.wsdl': contract } })).toEqual([
      { id: 'A1', photo: null },
      { id: 'A2', photo: null },
    ]);
    const { request, xml } = sentTo(wire);
    expect(request.url).toBe('/case?v=1');
    expect(request.headers['x-correlation-id']).toBe('trace-1');
    if (version === 'SOAP_12') {
      // SOAP 1.2 part 2 section 6.5: the action is a parameter, and there is no header of that name.
      expect(request.headers['content-type']).toBe(
        'application/soap+xml; charset=UTF-8; action="urn:case/Find"',
      );
      expect(request.headers.soapaction).toBeUndefined();
      expect(xml).toContain('"http://www.w3.org/2003/05/soap-envelope"');
    } else {
      expect(request.headers['content-type']).toBe('text/xml; charset=UTF-8');
      expect(request.headers.soapaction).toBe('"urn:case/Find"');
      expect(xml).toContain('"http://schemas.xmlsoap.org/soap/envelope/"');
    }
  });

  it.each(BOTH)('is read alike by %s: one element is a list where the schema says so', async (version) => {
    answer = xmlAnswer(envelope(version, found('A1')));
    expect(await ask({ soap: `version: ${version}` })).toEqual([{ id: 'A1', photo: null }]);
  });

  it.each(BOTH)('reads no header blocks of %s, neither unknown ones nor doubled ones', async (version) => {
    const block = '<x:Route xmlns:x="urn:x" e:mustUnderstand="1"><c:No>X</c:No></x:Route>';
    answer = xmlAnswer(envelope(version, found('A1'), block + block));
    expect(await ask({ soap: `version: ${version}` })).toEqual([{ id: 'A1', photo: null }]);
  });

  it('refuses an envelope of the other version', async () => {
    answer = xmlAnswer(envelope('SOAP_11', found('A1')));
    await expect(ask({ soap: 'version: SOAP_12' })).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining('expected an envelope of SOAP_12'),
    });
  });

  it('sends and reads GB18030 by SOAP 1.2, by the declaration where the header says nothing', async () => {
    const text = envelope('SOAP_12', found('路𠮷')).replace('UTF-8', 'GB18030');
    answer = xmlAnswer(iconv.encode(text, 'gb18030'), 200, 'application/soap+xml');
    const options = { soap: 'version: SOAP_12', more: 'encoding: "gb18030",', no: '路𠮷' };
    expect(await ask(options)).toEqual([{ id: '路𠮷', photo: null }]);
    const { request } = sentTo(wire);
    expect(request.headers['content-type']).toMatch(/charset=GB18030; action=/);
    expect(iconv.decode(request.body, 'gb18030')).toMatch(
      /^<\?xml version="1.0" encoding="GB18030"\?>.*路𠮷/,
    );
    answer = xmlAnswer(
      Buffer.from(envelope('SOAP_12', found('路')).replace('UTF-8', 'GB18030')),
      200,
      'application/soap+xml',
    );
    await expect(ask(options)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      details: { charset: 'GB18030' },
    });
  });
});

describe('a SOAP fault', () => {
  const fault11 = (code: string) =>
    `<e:Fault><faultcode>${code}</faultcode><faultstring>身份证 320508</faultstring></e:Fault>`;
  const fault12 = (code: string, subcode: string) =>
    `<e:Fault><e:Code><e:Value>${code}</e:Value>${subcode === '' ? '' : `<e:Subcode><e:Value xmlns:m="urn:m">${subcode}</e:Value></e:Subcode>`}</e:Code><e:Reason><e:Text xml:lang="zh">身份证 320508</e:Text></e:Reason></e:Fault>`;

  it.each([
    ['SOAP_11', 500, fault11('e:Server'), 'UPSTREAM_UNAVAILABLE', { faultCode: 'e:Server' }],
    ['SOAP_11', 200, fault11('e:Server'), 'UPSTREAM_UNAVAILABLE', { faultCode: 'e:Server' }],
    ['SOAP_11', 200, fault11('e:Client.Number'), 'UPSTREAM_INVALID', { faultCode: 'e:Client.Number' }],
    ['SOAP_11', 500, fault11('e:MustUnderstand'), 'UPSTREAM_INVALID', { faultCode: 'e:MustUnderstand' }],
    [
      'SOAP_11',
      500,
      fault11('wsse:FailedAuthentication'),
      'UPSTREAM_UNAVAILABLE',
      { faultCode: 'wsse:FailedAuthentication', reason: 'CREDENTIALS_REFUSED' },
    ],
    [
      'SOAP_12',
      500,
      fault12('e:Receiver', 'm:Busy'),
      'UPSTREAM_UNAVAILABLE',
      { faultCode: 'e:Receiver', faultSubcode: 'm:Busy' },
    ],
    [
      'SOAP_12',
      400,
      fault12('e:Sender', 'm:BadNo'),
      'UPSTREAM_INVALID',
      { faultCode: 'e:Sender', faultSubcode: 'm:BadNo' },
    ],
    ['SOAP_12', 200, fault12('e:Sender', ''), 'UPSTREAM_INVALID', { faultCode: 'e:Sender' }],
    [
      'SOAP_12',
      200,
      fault12('e:Sender', 'wsse:InvalidSecurityToken'),
      'UPSTREAM_UNAVAILABLE',
      { faultSubcode: 'wsse:InvalidSecurityToken', reason: 'CREDENTIALS_REFUSED' },
    ],
  ] as const)('of %s with HTTP %i ends as its coded error', async (version, status, body, code, details) => {
    answer = xmlAnswer(envelope(version, body), status);
    const error = await ask({ soap: `version: ${version}` }).then(
      () => expect.fail('expected a fault'),
      (thrown: unknown) => thrown as Error & { readonly details: object },
    );
    expect(error).toMatchObject({ code, details: { upstreamStatus: status, operation: 'Find', ...details } });
    expect(JSON.stringify([error.message, error.details, String(error.cause)])).not.toMatch(/320508/);
  });

  it('is only what stands in the body itself', async () => {
    answer = xmlAnswer(
      envelope(
        'SOAP_11',
        `<c:FindResponse><c:Case><c:No>A1</c:No><c:Fault>x</c:Fault></c:Case></c:FindResponse>`,
      ),
    );
    expect(await ask()).toEqual([{ id: 'A1', photo: null }]);
  });
});

describe('WS-Security', () => {
  beforeAll(() => {
    answer = xmlAnswer(envelope('SOAP_11', found('A1')));
  });
  const security = (xml: string) => /<soap:Header>.*<\/soap:Header>/.exec(xml)?.[0] ?? '';
  const textOf = (xml: string, name: string) =>
    new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1] ?? '';

  it('gives name and password, escaped, with nonce and times', async () => {
    await ask({ soap: 'security: { usernameToken: "case-login" }' });
    const header = security(sentTo(wire).xml);
    expect(textOf(header, 'wsse:Username')).toBe('网格');
    expect(textOf(header, 'wsse:Password')).toBe('p&amp;&lt;d');
    expect(header).toContain(`Type="${WSSE}#PasswordText"`);
    expect(Buffer.from(textOf(header, 'wsse:Nonce'), 'base64')).toHaveLength(16);
    const created = Date.parse(textOf(header, 'wsu:Created'));
    expect(Math.abs(created - Date.now())).toBeLessThan(60_000);
    expect(Date.parse(textOf(header, 'wsu:Expires')) - created).toBe(600_000);
  });

  it('gives the digest by UsernameToken Profile 1.1 section 3.1, and another nonce each time', async () => {
    const soap =
      'version: SOAP_11, security: { usernameToken: "case-login", digest: true, timestamp: false }';
    const headers: string[] = [];
    for (const no of ['1', '2']) {
      await ask({ soap, no });
      headers.push(security(sentTo(wire).xml));
    }
    for (const header of headers) {
      const nonce = Buffer.from(textOf(header, 'wsse:Nonce'), 'base64');
      const digest = createHash('sha1')
        .update(nonce)
        .update(textOf(header, 'wsu:Created'))
        .update('p&<d')
        .digest('base64');
      expect(textOf(header, 'wsse:Password')).toBe(digest);
      expect(header).toContain(`Type="${WSSE}#PasswordDigest"`);
      expect(header).not.toMatch(/Timestamp|p&amp;|p&</);
    }
    expect(new Set(headers.map((header) => textOf(header, 'wsse:Nonce'))).size).toBe(2);
  });

  it('does not start with a secret that is no login', async () => {
    const files = {
      'a.graphql': soapSdl('security: { usernameToken: "case-x" }'),
      'contracts/Case.wsdl': wsdl(BOTH),
    };
    await expect(wrap(files, { CASE: wire.url, SECRET_CASE_X: 'nobody' })).rejects.toThrow(
      'secret "case-x": expected user:password',
    );
  });
});

describe('offline schemas', () => {
  const include = (location: string) => wsdl(BOTH, `<xsd:include schemaLocation="${location}"/>`);
  const soap = 'offlineSchemas: "schemas"';
  beforeAll(() => {
    answer = xmlAnswer(envelope('SOAP_11', found('A1')));
  });

  it.each([
    ['by the whole address', 'http://dead.example/a/v2/types.xsd', 'schemas/dead.example/a/v2/types.xsd'],
    ['by the end of an address', 'https://dead.example/a/v2/types.xsd?x=1', 'schemas/v2/types.xsd'],
    ['by its name', 'http://dead.example/a/v2/types.xsd', 'schemas/types.xsd'],
    ['beside the WSDL', 'http://dead.example/a/v2/types.xsd', 'contracts/types.xsd'],
    ['relative to the file', 'xsd/types.xsd', 'contracts/xsd/types.xsd'],
  ])('are found %s', async (_name, location, path) => {
    const decoy = TYPES.replace('name="FindResponse"', 'name="Other"');
    const files = {
      'contracts/Case.wsdl': include(location),
      'schemas/other/types.xsd': decoy,
      [path]: TYPES,
    };
    expect(await ask({ soap, files })).toEqual([{ id: 'A1', photo: null }]);
  });

  it('import one another within the folder', async () => {
    const outer = `<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:case"><xsd:include schemaLocation="../b/types.xsd"/></xsd:schema>`;
    const files = {
      'contracts/Case.wsdl': include('http://dead.example/a/outer.xsd'),
      'schemas/a/outer.xsd': outer,
      'schemas/b/types.xsd': TYPES,
    };
    expect(await ask({ soap, files })).toEqual([{ id: 'A1', photo: null }]);
  });

  it.each([
    [
      include('http://127.0.0.1:9/no/types.xsd'),
      /: Case\.wsdl imports http:\/\/127\.0\.0\.1:9\/no\/types\.xsd: put a copy named types\.xsd into schemas\/$/,
    ],
    [
      include('../../../../etc/passwd'),
      /Case\.wsdl imports \.\.\/\.\.\/\.\.\/\.\.\/etc\/passwd: put a copy named passwd into schemas\//,
    ],
    [include('file:///etc/passwd'), /imports file:\/\/\/etc\/passwd: put a copy/],
  ])('end the start in one line that names what is missing', async (contract, message) => {
    wire.requests.length = 0;
    const files = { 'contracts/Case.wsdl': contract, 'schemas/readme.txt': '' };
    await expect(ask({ soap, files })).rejects.toThrow(message);
    expect(wire.requests).toEqual([]);
  });

  it('have no document type, and are UTF-8', async () => {
    const files = { 'contracts/Case.wsdl': include('types.xsd'), 'schemas/x': '' };
    const evil = `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${TYPES}`;
    await expect(ask({ soap, files: { ...files, 'contracts/types.xsd': evil } })).rejects.toThrow(
      /types\.xsd has a document type: remove it/,
    );
  });
});
