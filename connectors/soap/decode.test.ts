import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope } from './decode.ts';

const context = { system: 'police', source: 'police', operation: 'Query' };
const envelope = (body: string) =>
  `<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Body>${body}</s:Body></s:Envelope>`;

function decode(text: string | Buffer, status = 200, contentType = 'text/xml; charset=GB18030'): string {
  const body = Buffer.isBuffer(text) ? text : iconv.encode(text, 'gb18030');
  return decodeEnvelope({ status, contentType, body }, { encoding: 'gb18030', version: 'SOAP_11' }, context);
}

describe('decodeEnvelope', () => {
  it('reads GB18030, characters outside of GBK too', () => {
    expect(decode(envelope('<a>𠮷㐂</a>'))).toContain('𠮷㐂');
  });

  it('refuses bytes of another charset', () => {
    expect(() => decode(Buffer.from([0x3c, 0xff, 0xff, 0xff]))).toThrow(/gb18030/i);
  });

  it.each([
    ['HTML', '<html><body>error</body></html>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><s:Envelope xmlns:s="x"></s:Envelope>'],
    ['deep nesting', envelope('<a>'.repeat(100) + '</a>'.repeat(100))],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }));
  });

  it.each([
    ['soap:Server', 'UPSTREAM_UNAVAILABLE'],
    ['soap:Client', 'UPSTREAM_INVALID'],
  ])('tells a fault of %s as %s with its code, and not its words', (faultCode, code) => {
    const fault = envelope(
      `<s:Fault><faultcode>${faultCode}</faultcode><faultstring>内部机密</faultstring></s:Fault>`,
    );
    expect(() => decode(fault, 500)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining({ faultCode, upstreamStatus: 500 }) }),
    );
    expect(() => decode(fault, 500)).not.toThrow(/内部机密/);
  });

  it('tells refused credentials from a system that is away', () => {
    expect(() => decode('', 401)).toThrow(
      expect.objectContaining({
        code: 'UPSTREAM_UNAVAILABLE',
        details: expect.objectContaining({ upstreamStatus: 401 }),
      }),
    );
  });
});
