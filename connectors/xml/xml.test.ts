import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { xmlCharset } from './charset.ts';
import { inspectXml } from './inspect.ts';
import { parseXml } from './parse.ts';
import { writeXml } from './write.ts';

function read(text: string): unknown {
  const parsed = parseXml(text);
  return parsed.ok ? parsed.value : parsed.problem;
}

describe('parseXml', () => {
  it('has the shape that the documentation tells', () => {
    const text = '<Reply><Rows total="1"><Row id="B1"><Title lang="zh">路灯</Title></Row></Rows></Reply>';
    const row = { _id: 'B1', Title: { _lang: 'zh', _: '路灯' } };
    expect(read(text)).toEqual({ Reply: { Rows: { _total: '1', Row: row } } });
  });

  it.each([
    ['<a><b>1</b><c/><b> 02 </b></a>', { a: { b: ['1', '02'], c: null } }],
    ['<n:a xmlns:n="u" n:k="1"><n:b/></n:a>', { a: { b: null, _k: '1' } }],
    ['<a><b xmlns:x="y" x:nil="true"/><c nil="false"/></a>', { a: { b: null, c: { _nil: 'false' } } }],
    ['<a>1 &lt; 2 &#x8def;&#28783;<![CDATA[<b>&amp;]]></a>', { a: '1 < 2 路灯<b>&amp;' }],
    ['<a k="&quot;&amp;"/>', { a: { _k: '"&' } }],
    ['<a k="1"><_k>2</_k></a>', { a: { _k: '2' } }],
    [
      '<?xml version="1.0"?><!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE html>]]></a>',
      { a: '<!DOCTYPE html>' },
    ],
  ])('reads %s', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    ['two roots', '<a/><b/>'],
    ['a cut end', '<a><b>1</b>'],
    ['a wrong end', '<a><b></a></b>'],
    ['text', 'nothing here'],
    ['nothing', ''],
    ['an unknown entity', '<a>&eacute;</a>'],
    ['a bare ampersand', '<a>a & b</a>'],
    ['a repeated attribute', '<a k="1" k="2"/>'],
    ['a name of JavaScript', '<a><__proto__>1</__proto__></a>'],
    ['a declaration that never ends', '<?xml version="1.0"<a/>'],
  ])('refuses %s', (_name, text) => {
    expect(read(text)).toBe('expected well-formed XML');
  });

  it.each([
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    [
      'a parameter entity',
      '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><a/>',
    ],
    ['an external subset', '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>'],
    [
      'a billion laughs',
      `<!DOCTYPE a [<!ENTITY a0 "ha">${Array.from({ length: 9 }, (_, n) => `<!ENTITY a${n + 1} "${`&a${n};`.repeat(10)}">`).join('')}]><a>&a9;</a>`,
    ],
    [
      'a quadratic blow-up (C-xml-quad)',
      `<!DOCTYPE a [<!ENTITY x "${'A'.repeat(50_000)}">]><r>${'&x;'.repeat(5_000)}</r>`,
    ],
    ['a document type in small letters', '<!doctype a><a/>'],
  ])('refuses %s before a parser sees it', (_name, text) => {
    expect(read(text)).toBe('expected XML without a document type');
  });

  it('has a limit of depth that no quotes get around, and one of elements', () => {
    const deep = (open: string) => `${open.repeat(65)}${'</a>'.repeat(65)}`;
    expect(parseXml(deep('<a>'))).toMatchObject({ ok: false, limit: 'XML_DEPTH_MAX' });
    expect(parseXml(deep('<a k="/>">'))).toMatchObject({ ok: false, limit: 'XML_DEPTH_MAX' });
    expect(parseXml(`<a>${'<b/>'.repeat(200_000)}</a>`)).toMatchObject({
      ok: false,
      limit: 'XML_ELEMENTS_MAX',
    });
    expect(parseXml(`${'<a>'.repeat(64)}${'</a>'.repeat(64)}`)).toMatchObject({ ok: true });
  });

  it.each(['<a', '<a k="', '<!--', '<![CDATA[', '<?', '&', '<a k="/>">'])(
    'reads a million bytes of %s within seconds',
    (part) => {
      const text = `<r>${part.repeat(1_000_000 / part.length)}`;
      const startedAt = performance.now();
      expect(parseXml(text).ok).toBe(false);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    },
  );
});

describe('inspectXml', () => {
  it('counts what is there, not what is quoted', () => {
    const text = '<a><!-- <b> --><![CDATA[<c>]]><d k="<e>"/><f></f></a>';
    expect(inspectXml(text)).toEqual({ hasDocumentType: false, isWhole: true, depth: 2, elements: 3 });
  });
});

describe('writeXml', () => {
  const write = (value: Readonly<Record<string, unknown>>, charset = 'utf-8') =>
    iconv.decode(writeXml(value, charset), charset);

  it('writes attributes, repeated elements and text, and leaves null out', () => {
    const value = { Query: { _version: '2', No: ['B1', 2], Empty: null, Note: { _lang: 'zh', _: '路' } } };
    expect(write(value)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Query version="2"><No>B1</No><No>2</No><Note lang="zh">路</Note></Query>',
    );
  });

  it('escapes everything, so that what is written is read again (C-xml-inject)', () => {
    const evil = '1</id><admin>true</admin><id> ]]> <![CDATA[x]]> & "\'\t\n';
    const found = read(write({ r: { _k: evil, id: evil } }));
    expect(found).toEqual({ r: { _k: evil, id: evil.trim() } });
  });

  it.each(['\u0000', '\u001b[2J', '\uffff', '\ud800'])(
    'refuses characters that XML has no place for',
    (text) => {
      expect(() => write({ a: text })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    },
  );

  it('writes what a charset lacks as references', () => {
    expect(write({ a: '中𠮷' }, 'gb2312')).toContain('<a>中&#134071;</a>');
    expect(write({ a: '中𠮷' }, 'gb18030')).toContain('<a>中𠮷</a>');
  });

  it('has no element of a name that could be markup', () => {
    expect(() => write({ a: { 'b><c': '1' } })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });
});

describe('xmlCharset', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  const declared = bytes('<?xml version="1.0" encoding="GB18030"?><a/>');

  it.each([
    [bytes('\u00ef\u00bb\u00bf<a/>'), 'text/xml; charset=gbk', 'utf-8'],
    [declared, 'text/xml; charset=utf-8', 'utf-8'],
    [declared, 'text/xml', 'GB18030'],
    [declared, undefined, 'GB18030'],
    [bytes('<a/>'), 'text/xml', 'big5'],
    [bytes('<?xml version="1.0" encoding="martian"?><a/>'), undefined, undefined],
  ])('goes by mark, header, declaration, agreement', (body, contentType, charset) => {
    expect(xmlCharset(body, contentType, 'big5')).toBe(charset);
  });
});
