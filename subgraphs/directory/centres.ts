// The grid service centres that come with the program: one a division of a district, and its city's.
import type { DivisionRow } from './divisions.ts';

/** A centre as it is stored; its level is that of its division. */
export interface CentreRow {
  readonly code: string;
  readonly name: string;
  readonly level: number;
  readonly divisionCode: string;
  readonly parentCode: string | null;
}

/** 姑苏区: the district that the command centre serves. */
const DISTRICT = '320508';
/** The level of the highest centre: the city's. */
const LEVEL_MIN = 2;

/** 综治网格服务中心 for the district, all below it, and its city. */
export function centresOf(divisions: readonly DivisionRow[]): readonly CentreRow[] {
  const above = new Set(divisions.find((division) => division.code === DISTRICT)?.ancestorCodes);
  return divisions
    .filter(({ code, level }) => level >= LEVEL_MIN && (code.startsWith(DISTRICT) || above.has(code)))
    .map(({ code, name, level, parentCode }) => ({
      code: centreCode(code),
      name: `${territoryName(name)}综治网格服务中心`,
      level,
      divisionCode: code,
      parentCode: level === LEVEL_MIN || parentCode === null ? null : centreCode(parentCode),
    }));
}

/** The division's code and the centre's number in it. */
function centreCode(divisionCode: string): string {
  return `${divisionCode}-01`;
}

/** 路南社区居委会 is a committee; its territory is 路南社区. */
function territoryName(name: string): string {
  return name.replace(/(居民委员会|村民委员会|居委会|村委会)$/, '');
}
