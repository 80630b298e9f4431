// What a CSV file says of itself, and what it does not.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { afterAll, describe, expect, it } from 'vitest';
import { compileSystem } from '../../compile/compile.ts';
import { discover } from '../discover.ts';

const home = mkdtempSync(join(tmpdir(), 'weft-csv-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
let count = 0;

const AIR = `站点编号,时间,PM2.5,AQI,备注
S1,2026-11-22 08:00,12.5,40,
S1,2026-11-22 09:00,13,41,"雾, 轻"
S2,2026-11-22 08:00,9,30,
`;

async function draft(text: string | Buffer, name = 'aq_20261122.csv', encoding?: string) {
  count += 1;
  const file = join(home, name);
  writeFileSync(file, text);
  const found = await discover({ contract: { kind: 'csv', file }, out: join(home, `s-${count}`), encoding });
  const sdl = readFileSync(join(found.folder, `s-${count}.graphql`), 'utf8');
  return { ...found, sdl };
}

const refusal = (text: string | Buffer) =>
  draft(text).then(
    () => 'it was drafted',
    (thrown: unknown) => (thrown as Error).message.replaceAll(home, ''),
  );

describe('a draft from a CSV file', () => {
  it('passes the check at once, in the charset of the file, with two columns as its key where one is not enough', async () => {
    const { check, sdl, folder, environment } = await draft(
      iconv.encode(AIR, 'gb18030'),
      'aq_20261122.csv',
      'gb18030',
    );
    expect(check).toEqual({ ok: true, issues: [] });
    const [ingest] = compileSystem(folder).plan.ingests;
    expect(ingest?.from).toMatchObject({ kind: 'files' });
    expect(sdl).toContain('encoding: "gb18030"');
    expect(sdl).toContain('path: "/aq_{date}.csv"');
    expect(sdl).toContain('key: "zhanDianBianHao shiJian"');
    expect(sdl).toContain('columns: "站点编号, 时间, PM2.5, AQI, 备注"');
    expect(environment).toMatchObject([{ name: expect.stringMatching(/^S_\d+_FILES$/) }]);
    const row = { 站点编号: 'S1', 时间: '2026-11-22 08:00', 'PM2.5': '12.5', AQI: '40', 备注: null };
    expect(ingest?.select.evaluate({ $: row, timezone: 'Asia/Shanghai' })).toEqual({
      zhanDianBianHao: 'S1',
      shiJian: '2026-11-22T08:00:00+08:00',
      pm25: 12.5,
      aqi: 40,
      beiZhu: null,
    });
  });

  it('takes the column that is named like a key before one that happens to tell rows apart', async () => {
    const { sdl } = await draft('size,permit_no\n1,A\n2,B\n', 'permits.csv');
    expect(sdl).toContain('key: "permitNo"');
    expect(sdl).toContain('path: "/permits.csv"');
  });

  it('keeps codes that begin with a zero as text, and says what it left out', async () => {
    const { sdl, leftOut, check } = await draft('id,code,,id,a\n1,007,x,2,\n2,012,y,3,\n', 'x.csv');
    expect(check.ok).toBe(true);
    expect(sdl).toMatch(/code: String/);
    expect(leftOut.map(({ what, why }) => `${what}: ${why}`)).toEqual([
      'column 3: it has no name',
      'id: another column has its name',
    ]);
  });

  it('says in one line where a file is bad, or what it lacks', async () => {
    expect(await refusal(iconv.encode(AIR, 'gb18030'))).toMatch(
      /aq_20261122\.csv is not in utf-8 — give its charset, such as --encoding gb18030$/,
    );
    expect(await refusal('a,b\n"1,2\n')).toMatch(/aq_20261122\.csv:\d+:1 is no CSV \(CSV_QUOTE_NOT_CLOSED\)/);
    expect(await refusal('a,b\n')).toMatch(/:1:1 has no row below a header/);
    expect(await refusal('a,b\n1,1\n1,1\n')).toMatch(/:1:1 no column, and no two columns, tell the 2 rows/);
  });
});
