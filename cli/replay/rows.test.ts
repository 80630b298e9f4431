import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findMapping, type Mapping, readMapping } from './mapping.ts';
import { readHeader, readRows } from './rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-rows-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MAPPING: Mapping = {
  name: 'test',
  columns: { id: 'id', createdAt: 'made', type: 'type', address: 'place', area: 'area', source: 'by' },
  time: { pattern: 'yyyy-MM-dd HH:mm', zone: 'Asia/Shanghai' },
  content: '{type} at {place}',
  types: {
    light: { subject: '路灯异常', kind: '2', itemCode: '01037' },
    beggar: { subject: '流浪乞讨', kind: '2', police: { category: '04' } },
  },
  areas: { '7': '320508017003' },
  areaDefault: '320508017004',
  sources: { app: 'APP' },
  sourceDefault: 'PHONE',
};

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('reading rows', () => {
  test('sorts by time of creation, then by id, and fills an order by the mapping', async () => {
    const file = write(
      'sorted.csv',
      '\ufeffid,made,type,place,area,by\nb,2020-01-02 08:00,light,"1, Main St",7,app\nc,2020-01-01 08:00,beggar,x,,call\na,2020-01-02 08:00,light,y,99,app\n',
    );
    const { rows, refused, areaDefaulted } = await readRows(file, MAPPING);
    expect(refused).toEqual([]);
    expect(areaDefaulted).toBe(2);
    expect(rows.map((row) => row.order.externalRef)).toEqual(['c', 'a', 'b']);
    expect(rows[2]).toEqual({
      line: 2,
      createdAtMs: Date.parse('2020-01-02T08:00:00+08:00'),
      order: {
        externalRef: 'b',
        subject: '路灯异常',
        content: 'light at 1, Main St',
        kind: '2',
        areaCode: '320508017003',
        address: '1, Main St',
        itemCode: '01037',
        source: 'APP',
        acceptTime: '2020-01-02 08:00:00',
      },
    });
    expect(rows[0]).toMatchObject({
      policeCategory: '04',
      order: { areaCode: '320508017004', source: 'PHONE' },
    });
  });

  test('reports each bad row with its line and goes on', async () => {
    const good = '2020-01-01 08:00,light,x,7,app';
    const file = write(
      'bad.csv',
      `id,made,type,place,area,by\n1,${good}\n1,${good}\n,${good}\n2,yesterday,light,x,7,app\n3,2020-01-01 08:00,constructor,x,7,app\n4,too,few\n5,${good}\n`,
    );
    const { rows, refused } = await readRows(file, MAPPING);
    expect(rows.map((row) => row.order.externalRef)).toEqual(['1', '5']);
    expect(refused.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7]);
    expect(refused.map(({ reason }) => reason)).toEqual([
      'id 1 stands on line 2 already',
      'the id is blank',
      "'yesterday' is not a time of the form yyyy-MM-dd HH:mm",
      "type 'constructor' is not in the mapping",
      expect.stringContaining('columns length is 6, got 3'),
    ]);
  });

  test('is an operator error that names the columns when the file lacks those of the mapping', async () => {
    const file = write('columns.csv', 'id,made,type\n1,2,3\n');
    await expect(readRows(file, MAPPING)).rejects.toThrow(/has no column place, area, by/);
    await expect(readRows(join(folder, 'absent.csv'), MAPPING)).rejects.toThrow(
      /^there is no file .*absent\.csv$/,
    );
  });
});

describe('a mapping', () => {
  test('is found beside the file, else by its columns, else not at all', async () => {
    const mappings = mkdtempSync(join(folder, 'mappings-'));
    const known = join(mappings, 'known.mapping.json');
    writeFileSync(known, JSON.stringify(MAPPING));
    const file = write('x.csv', 'id,made,type,place,area,by,more\n');
    const header = await readHeader(file);
    expect(findMapping(file, header, [mappings])).toBe(known);
    expect(() => findMapping(file, ['id'], [mappings])).toThrow(/--mapping FILE/);
    const beside = write('x.mapping.json', JSON.stringify(MAPPING));
    expect(findMapping(file, header, [mappings])).toBe(beside);
  });

  test('is refused with every problem and its place', () => {
    const file = write(
      'wrong.json',
      JSON.stringify({ ...MAPPING, areaDefault: '1', extra: true, areas: { '7': 'x' } }),
    );
    expect(() => readMapping(file)).toThrow(
      /areas\.7: expected the 12 digits.*areaDefault: expected the 12 digits.*extra/,
    );
    expect(() => readMapping(write('broken.json', '{'))).toThrow(/broken\.json/);
  });
});
