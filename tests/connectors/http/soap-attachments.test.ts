import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envelope, sentTo, soapSdl, type Version, wsdl, xmlAnswer } from './soap-wire.ts';
import { startWire, type Wire, type WireAnswer, wrap } from './wire.ts';

const PHOTO = randomBytes(2_000);
const XOP = 'xmlns:xop="http://www.w3.org/2004/08/xop/include"';

let wire: Wire;
let answer: WireAnswer;
beforeAll(async () => {
  wire = await startWire(() => answer);
});
afterAll(() => wire?.close());

async function ask(version: Version, photo?: string) {
  const sdl = soapSdl(`version: ${version}`, ', attach: "Photo"');
  const files = { 'a.graphql': sdl, 'contracts/Case.wsdl': wsdl(['SOAP_11', 'SOAP_12']) };
  const wrapped = await wrap(files, { CASE: wire.url });
  try {
    return await wrapped.ask('Query.cases', { no: 'A1', photo });
  } finally {
    await wrapped.close();
  }
}

/** A multipart answer: the envelope names `cids`, and the parts are those given by their Content-ID. */
function inParts(
  version: Version,
  cids: readonly string[],
  parts: Readonly<Record<string, Buffer>>,
  { isRootLast = false, end = '--' } = {},
): WireAnswer {
  const cases = cids.map(
    (cid) =>
      `<c:Case><c:No>${cid}</c:No><c:Photo><xop:Include ${XOP} href="cid:${encodeURIComponent(cid)}"/></c:Photo></c:Case>`,
  );
  const xml = envelope(version, `<c:FindResponse>${cases.join('')}</c:FindResponse>`);
  const root = part(
    'root.message@old',
    Buffer.from(xml),
    'application/xop+xml; charset=UTF-8; type="text/xml"',
  );
  const others = Object.entries(parts).map(([id, body]) => part(id, body, 'image/jpeg'));
  const all = isRootLast ? [...others, root] : [root, ...others];
  const body = Buffer.concat([...all, Buffer.from(`--==b==${end}\r\n`)]);
  const type = 'multipart/related; type="application/xop+xml"; start="<root.message@old>"; boundary="==b=="';
  return xmlAnswer(body, 200, type);
}

function part(id: string, body: Buffer, contentType: string): Buffer {
  const head = `--==b==\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}>\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body, Buffer.from('\r\n')]);
}

describe('attachments of an answer', () => {
  it.each(['SOAP_11', 'SOAP_12'] as const)('stand in their places as base64 text, by %s', async (version) => {
    answer = inParts(
      version,
      ['p 1@old', 'p2@old'],
      { 'p2@old': PHOTO, 'p 1@old': Buffer.from('--==b') },
      { isRootLast: true },
    );
    expect(await ask(version)).toEqual([
      { id: 'p 1@old', photo: Buffer.from('--==b').toString('base64') },
      { id: 'p2@old', photo: PHOTO.toString('base64') },
    ]);
  });

  it.each([
    ['a part that is missing', inParts('SOAP_11', ['p1@old'], {})],
    ['a part that is named twice', inParts('SOAP_11', ['p1@old', 'p1@old'], { 'p1@old': PHOTO })],
    ['parts that were cut off', inParts('SOAP_11', ['p1@old'], { 'p1@old': PHOTO }, { end: '' })],
    [
      'parts without a boundary',
      { ...inParts('SOAP_11', [], {}), headers: { 'content-type': 'multipart/related' } },
    ],
    [
      'too many parts',
      inParts(
        'SOAP_11',
        [],
        Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`p${n}`, Buffer.alloc(1)])),
      ),
    ],
  ])('are refused with %s', async (_name, given) => {
    answer = given;
    await expect(ask('SOAP_11')).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      details: { operation: 'Find' },
    });
  });
});

describe('attachments of a request', () => {
  it.each(['SOAP_11', 'SOAP_12'] as const)('travel as parts, by %s', async (version) => {
    answer = xmlAnswer(envelope(version, '<c:FindResponse/>'));
    expect(await ask(version, PHOTO.toString('base64'))).toEqual([]);
    const { request } = sentTo(wire);
    const contentType = String(request.headers['content-type']);
    const boundary = /boundary="([^"]+)"/.exec(contentType)?.[1] ?? expect.fail(contentType);
    const mediaType = version === 'SOAP_12' ? 'application/soap+xml' : 'text/xml';
    expect(contentType).toContain(
      `type="application/xop+xml"; start="<root@weft>"; start-info="${mediaType}"`,
    );
    expect(contentType.includes('; action="urn:case/Find"')).toBe(version === 'SOAP_12');
    const [, root = '', attached = '', end] = request.body.toString('latin1').split(`--${boundary}`);
    expect(end).toBe('--\r\n');
    expect(root).toContain(`Content-Type: application/xop+xml; charset=UTF-8; type="${mediaType}"\r\n`);
    const cid = /<xop:Include [^>]*href="cid:([^"]+)"\/>/.exec(root)?.[1];
    expect(attached).toContain(`Content-ID: <${cid}>\r\n\r\n`);
    const bytes = attached.slice(attached.indexOf('\r\n\r\n') + 4, -2);
    expect(Buffer.from(bytes, 'latin1').equals(PHOTO)).toBe(true);
  });

  it('are not there when the element is not', async () => {
    answer = xmlAnswer(envelope('SOAP_11', '<c:FindResponse/>'));
    await ask('SOAP_11');
    expect(sentTo(wire).request.headers['content-type']).toBe('text/xml; charset=UTF-8');
  });

  it.each(['not base64!', 'abc', '</Photo><admin/>'])('hold base64 and nothing else: %s', async (photo) => {
    wire.requests.length = 0;
    await expect(ask('SOAP_11', photo)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(wire.requests).toEqual([]);
  });
});
