import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubError } from '@weft/core/errors';
import iconv from 'iconv-lite';
import { afterAll, describe, expect, it } from 'vitest';
import type { FileLimits } from '../plan.ts';
import { type FileRow, readRows } from './rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-rows-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LIMITS: FileLimits = {
  fileBytesMax: 1e9,
  rowBytesMax: 1_000,
  columnsMax: 20,
  rowsMax: 1e6,
  filesMax: 10,
};
const CSV = { format: 'CSV', record: undefined, delimiter: ',', columns: [] } as const;
const XML = { format: 'XML', record: 'row', delimiter: ',', columns: [] } as const;

function rowsOf(
  content: string | Buffer,
  plan: Parameters<typeof readRows>[1]['plan'] = CSV,
  { encoding = 'utf-8', limits = {} }: { encoding?: string; limits?: Partial<FileLimits> } = {},
): AsyncGenerator<FileRow> {
  const path = join(folder, 'file');
  writeFileSync(path, content);
  return readRows(path, { plan, encoding, limits: { ...LIMITS, ...limits } });
}

async function all(rows: AsyncGenerator<FileRow>): Promise<readonly FileRow[]> {
  return Array.fromAsync(rows);
}

/** The rows before the file is given up, and why it is. */
async function untilBroken(
  rows: AsyncGenerator<FileRow>,
): Promise<{ seen: readonly FileRow[]; code: string; message: string; line?: unknown; limit?: unknown }> {
  const seen: FileRow[] = [];
  try {
    for await (const row of rows) seen.push(row);
  } catch (thrown) {
    if (thrown instanceof HubError)
      return { seen, code: thrown.code, message: thrown.message, ...thrown.details };
    throw thrown;
  }
  throw new TypeError('expected the file to be given up');
}

describe('a CSV file', () => {
  it('is read in GB18030, with the line on which each row begins, quoted line breaks and all', async () => {
    const text =
      '站点编号,时间,"PM2.5",备注\r\nS1,2026-11-22 08:00,35.1,"两行\r\n备注，""引号"""\r\n\r\nS2,2026-11-22 08:00,,𠀀龘\r\n';
    const rows = await all(rowsOf(iconv.encode(text, 'gb18030'), CSV, { encoding: 'gb18030' }));
    expect(rows.map(({ line, payload }) => ({ line, payload }))).toEqual([
      {
        line: 2,
        payload: { 站点编号: 'S1', 时间: '2026-11-22 08:00', 'PM2.5': '35.1', 备注: '两行\r\n备注，"引号"' },
      },
      { line: 5, payload: { 站点编号: 'S2', 时间: '2026-11-22 08:00', 'PM2.5': null, 备注: '𠀀龘' } },
    ]);
  });

  it.each([
    ['utf-8', '\uFEFFa,b\n1,路\n', 'gb18030'],
    ['utf-16le', '\uFEFFa,b\n1,路\n', 'utf-8'],
    ['utf-16be', '\uFEFFa,b\n1,路\n', 'utf-8'],
  ])('says by its byte-order mark that it is %s', async (real, text, encoding) => {
    const [row] = await all(rowsOf(iconv.encode(text, real), CSV, { encoding }));
    expect(row?.payload).toEqual({ a: '1', b: '路' });
  });

  it('may end lines in any of three ways, and not end the last one; cells may be parted otherwise', async () => {
    for (const text of ['a;b\n1;2\n3;4', 'a;b\r\n1;2\r\n3;4\r\n', 'a;b\r1;2\r3;4'])
      expect((await all(rowsOf(text, { ...CSV, delimiter: ';' }))).map(({ payload }) => payload)).toEqual([
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ]);
  });

  it('has rows that are not sound, each with its reason, and goes on behind them', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a,b\n1\n1,2,3\n1,2,,\n1,'),
      Buffer.from([0xff]),
      Buffer.from('\n5,6\n'),
    ]);
    const rows = await all(rowsOf(bytes));
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [2, 'expected 2 cells, got 1'],
      [3, 'expected 2 cells, got 3'],
      [4, undefined],
      [5, 'expected text in utf-8'],
      [6, undefined],
    ]);
    expect(rows[1]?.payload).toEqual(['1', '2', '3']);
  });

  it('cannot reach what is no column of its own', async () => {
    const [row] = await all(rowsOf('__proto__,constructor\nx,y\n'));
    expect(Object.keys(row?.payload as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(row?.payload)).toBe(Object.prototype);
  });

  it('is given up where a quote is not closed, with the line on which it opens', async () => {
    const small = await untilBroken(rowsOf('a,b\n1,2\n3,"4\n5,6\n'));
    expect(small).toMatchObject({ code: 'UPSTREAM_INVALID', line: 3 });
    expect(small.seen).toHaveLength(1);
    const large = await untilBroken(rowsOf(`a,b\n1,2\n3,"4\n${'5,6\n'.repeat(1_000)}`));
    expect(large).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'rowBytes', line: 3 });
  });

  it('is given up at a million columns, named and not, within little memory', async () => {
    const before = process.memoryUsage().rss;
    expect(await untilBroken(rowsOf(`"${'a,'.repeat(1_000_000)}`))).toMatchObject({
      limit: 'rowBytes',
      line: 1,
    });
    expect(await untilBroken(rowsOf('a,'.repeat(1_000_000)))).toMatchObject({ limit: 'columns', line: 1 });
    expect(await untilBroken(rowsOf(`a,b\n1,2\n${','.repeat(1_000_000)}\n`))).toMatchObject({
      limit: 'columns',
      line: 3,
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  it('is given up at one row too many, without a header, with a name twice, and without a column that it must have', async () => {
    expect(await untilBroken(rowsOf('a\n1\n2\n3\n', CSV, { limits: { rowsMax: 2 } }))).toMatchObject({
      limit: 'rows',
      line: 4,
    });
    expect(await untilBroken(rowsOf(''))).toMatchObject({ code: 'UPSTREAM_INVALID', line: 1 });
    expect((await untilBroken(rowsOf('a,b,a\n1,2,3\n'))).message).toContain("'a' twice");
    expect((await untilBroken(rowsOf('a,b\n', { ...CSV, columns: ['a', '时间'] }))).message).toContain(
      "lacks '时间'",
    );
  });

  it('is read row by row: a reader that stops early leaves the rest unread', async () => {
    const rows = rowsOf(`a\n${'1\n'.repeat(2_000_000)}`);
    const before = process.memoryUsage().rss;
    for await (const { line } of rows) if (line > 100) break;
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
  });
});

describe('an XML file', () => {
  const FILE = `<?xml version="1.0" encoding="GB18030"?>
<e:data xmlns:e="urn:e"><head>x</head>
  <e:row no="1"><名称>路灯 &amp; &#x8def;</名称><v>1</v><v>2</v><空/><m k="a">text</m></e:row>
  <e:row xmlns:xsi="urn:xsi"><名称 xsi:nil="true"/><c><![CDATA[<a>]]></c></e:row>
</e:data>`;

  it('yields its records in the charset that it declares, as mappings read XML everywhere', async () => {
    const rows = await all(rowsOf(iconv.encode(FILE, 'gb18030'), XML));
    expect(rows.map(({ line, payload }) => ({ line, payload }))).toEqual([
      {
        line: 3,
        payload: { _no: '1', 名称: '路灯 & 路', v: ['1', '2'], 空: null, m: { _k: 'a', _: 'text' } },
      },
      { line: 4, payload: { 名称: null, c: '<a>' } },
    ]);
  });

  it('is given up at a document type, an unknown entity, a tag that is not closed, a depth or a size too great', async () => {
    const row = '<row><a>1</a></row>';
    expect(await untilBroken(rowsOf(`<!DOCTYPE d [<!ENTITY x "y">]>\n<d>${row}</d>`, XML))).toMatchObject({
      line: 1,
    });
    const entity = await untilBroken(rowsOf(`<d>${row}\n<row>&nbsp;</row></d>`, XML));
    expect([entity.line, entity.seen.length]).toEqual([2, 1]);
    const cut = await untilBroken(rowsOf(`<d>${row}\n<row><a>1</a>`, XML));
    expect(cut).toMatchObject({ code: 'UPSTREAM_INVALID', line: 2 });
    expect(cut.seen).toHaveLength(1);
    expect(await untilBroken(rowsOf('<a>'.repeat(100), XML))).toMatchObject({ limit: 'DEPTH_MAX' });
    expect(await untilBroken(rowsOf(`<d><row>${'x'.repeat(50_000)}</row></d>`, XML))).toMatchObject({
      limit: 'rowBytes',
    });
  });
});
