import { readFileSync } from 'node:fs';
import iconv from 'iconv-lite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, createTestFolder, type TestFolder, until } from '../test-support.ts';
import { type Police, startPolice } from './server.ts';

let folder: TestFolder;
let police: Police;

beforeEach(async () => {
  folder = createTestFolder();
  police = await startPolice({ directory: folder.path, port: 0 });
});
afterEach(async () => {
  await police.close();
  folder[Symbol.dispose]();
});

const control = (path: string) => `${police.url}/_control/${path}`;
const create = (externalRef: string, more: object = {}) =>
  police.createCases([{ externalRef, place: '虎丘街道', reportedAt: '2026-03-01 08:00:00', ...more }])[0]
    ?.receiptNo ?? '';

const envelope = (numbers: readonly string[], reason = '测试查询') =>
  `<?xml version="1.0" encoding="GB18030"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` +
  `<c:QueryCaseBatch xmlns:c="http://gs.police.gov.cn/case"><c:req><c:JJDBHS>` +
  `${numbers.map((number) => `<c:string>${number}</c:string>`).join('')}</c:JJDBHS><c:CXYY>${reason}</c:CXYY>` +
  '</c:req></c:QueryCaseBatch></s:Body></s:Envelope>';

const post = async (text: string) => {
  const response = await fetch(`${police.url}/CaseService`, {
    method: 'POST',
    body: iconv.encode(text, 'gb18030'),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    bytes,
    text: iconv.decode(bytes, 'gb18030'),
  };
};
const query = (numbers: readonly string[]) => post(envelope(numbers));
const receiptsIn = (text: string) => [...text.matchAll(/<JJDBH>(\w+)</g)].map((match) => match[1]);

describe('the case service', () => {
  test('counts what is neither settled nor returned, below a division or in all', async () => {
    const count = async (division: string) => {
      const { text } = await post(
        `<?xml version="1.0" encoding="GB18030"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` +
          `<c:CountOpenCase xmlns:c="http://gs.police.gov.cn/case"><c:req><c:QHDM>${division}</c:QHDM></c:req></c:CountOpenCase>` +
          '</s:Body></s:Envelope>',
      );
      return /<RetCode>(\d)<.*?(?:<WJS>(\d+)<|$)/.exec(text)?.slice(1, 3);
    };
    police.changeState(create('a'), '3');
    police.changeState(create('b'), '9');
    police.changeState(create('c'), '2');
    create('d');
    expect(await count('')).toEqual(['0', '2']);
    expect(await count('320508')).toEqual(['0', '2']);
    expect(await count('320508018')).toEqual(['0', '0']);
    expect((await count('姑苏'))?.[0]).toBe('5');
  });

  test('answers cases in GB18030, with characters that no smaller charset has', async () => {
    const receiptNo = create('a', {
      category: '03',
      place: '虎丘街道𠮷庆里㐂宁巷1号 <南门>',
      unit: '虎丘派出所',
    });
    expect(receiptNo).toBe('JJ32050820260301000001');
    const answer = await query([receiptNo, 'JJ0']);
    expect([answer.status, answer.type]).toEqual([200, 'text/xml; charset=GB18030']);
    expect(answer.text).toContain('<RetCode>0</RetCode>');
    expect(answer.text).toContain(
      '<Case><JJDBH>JJ32050820260301000001</JJDBH><AJLB>03</AJLB><AJZT>0</AJZT><BJSJ>20260301080000</BJSJ>' +
        '<FADD>虎丘街道𠮷庆里㐂宁巷1号 &lt;南门&gt;</FADD><CJDW>虎丘派出所</CJDW></Case></Cases>',
    );
    expect(new TextDecoder('gb18030', { fatal: true }).decode(answer.bytes)).toBe(answer.text);
  });

  test('refuses more than 20 numbers, or no reason, with a code inside HTTP 200', async () => {
    const numbers = Array.from({ length: 21 }, (_, index) => `JJ${index}`);
    expect((await query(numbers)).text).toContain('<RetCode>1</RetCode>');
    expect((await query(numbers.slice(1))).text).toContain('<RetCode>0</RetCode>');
    expect((await post(envelope(['JJ1'], ''))).text).toContain('<RetCode>2</RetCode>');
  });

  test.each([
    ['no XML', 'hello'],
    ['a tag that is not closed', '<a><b></a>'],
    ['an unknown operation', envelope([]).replaceAll('QueryCaseBatch', 'DropCase')],
    ['an unknown entity', envelope(['&boom;'])],
  ])('answers %s with a fault and HTTP 500', async (_, text) => {
    const answer = await post(text);
    expect(answer.status).toBe(500);
    expect(answer.text).toMatch(
      /<soap:Fault><faultcode>soap:Client<\/faultcode><faultstring>.+<\/faultstring>/,
    );
  });

  test('describes itself at ?wsdl as the contract does, but for its address', async () => {
    const served = await (await fetch(`${police.url}/CaseService?wsdl`)).text();
    const contract = readFileSync(
      new URL('../../subgraphs/police/contracts/CaseService.wsdl', import.meta.url),
      'utf8',
    );
    expect(served).toContain(`location="${police.url}/CaseService"`);
    const withoutAddress = (wsdl: string) => wsdl.replace(/<soap:address .*/, '');
    expect(withoutAddress(served)).toBe(withoutAddress(contract));
  });
});

describe('the control', () => {
  test('makes one case of an external reference, and moves its state', async () => {
    const body = [{ externalRef: 'r', place: '双塔街道' }];
    const first = await call('POST', control('cases'), body);
    const again = await call('POST', control('cases'), body);
    expect([first.status, again.body]).toEqual([201, [{ ...(first.body as object[])[0], created: false }]]);
    const { receiptNo } = (first.body as { receiptNo: string }[])[0] ?? { receiptNo: '' };
    await call('POST', control(`cases/${receiptNo}/state`), { state: '2' });
    expect((await query([receiptNo])).text).toContain('<AJZT>2</AJZT>');
    expect((await call('POST', control('cases/JJ0/state'), { state: '2' })).status).toBe(404);
  });

  test('counts requests, numbers asked for and requests at the same time', async () => {
    await call('POST', control('faults'), { latencyMs: 100 });
    await Promise.all([query(['1', '2']), query(['3'])]);
    const { body } = await call('GET', control('stats'));
    expect(body).toMatchObject({ cases: 0, requests: 2, inFlightMax: 2 });
    expect((body as { numbersAsked: number[] }).numbersAsked.toSorted()).toEqual([1, 2]);
  });

  test('keeps the cases over a restart', async () => {
    const receiptNo = create('a');
    await police.close();
    police = await startPolice({ directory: folder.path, port: 0 });
    expect(receiptsIn((await query([receiptNo])).text)).toEqual([receiptNo]);
    expect(create('a')).toBe(receiptNo);
  });
});

describe('the fault switches', () => {
  const set = (faults: object) => call('POST', control('faults'), faults);

  test('refuse resets the connection until cleared', async () => {
    await set({ refuse: true });
    await expect(query(['1'])).rejects.toThrow();
    await call('DELETE', control('faults'));
    expect((await query(['1'])).status).toBe(200);
  });

  test('latencyMs holds the answer back', async () => {
    await set({ latencyMs: 300 });
    const startedAtMs = Date.now();
    await query(['1']);
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(290);
  });

  test('garbage is no XML, or text in a charset that is not the one told', async () => {
    const receiptNo = create('a');
    await set({ garbage: true });
    expect((await query([receiptNo])).text).not.toContain('<soap:Envelope');
    await set({ garbage: 'charset' });
    const { bytes } = await query([receiptNo]);
    expect(() => new TextDecoder('gb18030', { fatal: true }).decode(bytes)).toThrow();
    expect(bytes.toString('utf8')).toContain('虎丘街道');
  });

  test('half promises the whole body and breaks off', async () => {
    await set({ half: true });
    await expect(query(['1'])).rejects.toThrow();
  });

  test('duplicate doubles the cases, outOfOrder reverses them', async () => {
    const numbers = [create('a'), create('b')];
    await set({ duplicate: true });
    expect(receiptsIn((await query(numbers)).text)).toEqual(numbers.flatMap((number) => [number, number]));
    await set({ outOfOrder: true });
    expect(receiptsIn((await query(numbers)).text)).toEqual(numbers.toReversed());
  });

  test('cut off what is under way when the system is closed', async () => {
    await set({ latencyMs: 60_000 });
    const hanging = query(['1']).then(
      () => 'answered',
      () => 'cut off',
    );
    await until('the request', async () => {
      const stats = (await call('GET', control('stats'))).body as { requests: number };
      return stats.requests === 1 ? true : undefined;
    });
    await police.close();
    expect(await hanging).toBe('cut off');
    police = await startPolice({ directory: folder.path, port: 0 });
  });
});
