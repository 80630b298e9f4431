import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { restSdl, startWire, type Wire, type WireAnswer, wrap } from './wire.ts';

const FIELDS = `type Query {
  rows(area: ID): [Thing!] @connect(source: "api", http: { POST: "/find", body: "Query: { _version: '2' Area: $args.area Kind: ['1', '2'] }" }, emptyWhen: "$.Reply.Rows._total->eq('0')", failWhen: "$.Reply.Code->ne('0000')", select: "$.Reply.Rows.Row->list { id: _no }")
}`;

let wire: Wire;
let answer: WireAnswer;
beforeAll(async () => {
  wire = await startWire(() => answer);
});
afterAll(() => wire?.close());

async function ask(encoding: string, area = '姑苏<区>') {
  const sdl = restSdl('format: XML', FIELDS, ` encoding: "${encoding}"`);
  const wrapped = await wrap({ 'a.graphql': sdl }, { API: wire.url });
  try {
    return await wrapped.ask('Query.rows', { area });
  } finally {
    await wrapped.close();
  }
}

const reply = (rows: string, charset = 'UTF-8', code = '0000') =>
  `<?xml version="1.0" encoding="${charset}"?>\n<r:Reply xmlns:r="urn:r"><r:Code>${code}</r:Code>${rows}</r:Reply>`;

describe('a REST source in XML', () => {
  it.each(['utf-8', 'gb18030', 'gbk'])('asks and is answered in %s', async (encoding) => {
    const text = reply('<r:Rows total="1"><r:Row no="路"/></r:Rows>', encoding);
    answer = { headers: { 'content-type': 'application/xml' }, body: iconv.encode(text, encoding) };
    expect(await ask(encoding, '𠮷<路>')).toEqual([{ id: '路' }]);
    const { headers, body } = wire.requests.at(-1) ?? expect.fail();
    const charset = encoding.toUpperCase();
    expect(headers).toMatchObject({
      accept: 'application/xml',
      'content-type': `application/xml; charset=${charset}`,
    });
    const area = encoding === 'gbk' ? '&#134071;&#60;路&#62;' : '𠮷&#60;路&#62;';
    expect(iconv.decode(body, encoding)).toBe(
      `<?xml version="1.0" encoding="${charset}"?><Query version="2"><Area>${area}</Area><Kind>1</Kind><Kind>2</Kind></Query>`,
    );
  });

  it.each([
    ['one row', '<Rows><Row no="1"/></Rows>', [{ id: '1' }]],
    ['two rows', '<Rows><Row no="1"/><Row no="2"/></Rows>', [{ id: '1' }, { id: '2' }]],
    ['no row', '<Rows/>', []],
    ['none by its own word', '<Rows total="0"><Row no="9"/></Rows>', []],
  ])('reads %s', async (_name, rows, expected) => {
    answer = { body: reply(rows) };
    expect(await ask('utf-8')).toEqual(expected);
  });

  it('tells a business error inside a good answer', async () => {
    answer = { body: reply('', 'UTF-8', '4001') };
    await expect(ask('utf-8')).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining('says that the call failed'),
    });
  });

  it.each([
    [
      'another charset than it declares',
      iconv.encode(reply('<a>灯</a>', 'UTF-8'), 'gb18030'),
      200,
      'UPSTREAM_INVALID',
    ],
    ['a charset that nobody knows', reply('', 'martian-1'), 200, 'UPSTREAM_INVALID'],
    ['HTML', '<!DOCTYPE html><html></html>', 200, 'UPSTREAM_INVALID'],
    ['JSON', '{"Code":"0000"}', 200, 'UPSTREAM_INVALID'],
    ['half a document', reply('<Rows><Row no="1"/>').slice(0, -20), 200, 'UPSTREAM_INVALID'],
    ['nothing', '', 200, 'UPSTREAM_INVALID'],
    ['XML and an error', reply(''), 503, 'UPSTREAM_UNAVAILABLE'],
  ])('refuses %s, and repeats none of it', async (_name, body, status, code) => {
    answer = { status, headers: { 'content-type': 'text/xml' }, body };
    await expect(ask('utf-8')).rejects.toMatchObject({ code, details: { upstreamStatus: status } });
    await expect(ask('utf-8')).rejects.not.toThrow(/Rows|martian|灯/);
  });
});
