// The open-ended tree of grid service centres, as far as their codes tell it.
import { isDivisionCode } from './report-limits.ts';

/** Digits of the levels that the standards name (GB/T 2260, GB/T 10114, village); what is longer hangs below. */
const LEVEL_DIGITS = [2, 4, 6, 9, 12] as const;
/** Of a division's first centre. */
const FIRST_CENTRE = '-01';

/** Whether it is written as the code of a centre is. */
export function isCentreCode(code: string): boolean {
  return /-\d{1,4}$/.test(code) && isDivisionCode(code);
}

/** The centre that a report of a division comes to first: the one of that division. */
export function centreOf(division: string | null): string | null {
  return division === null ? null : `${division}${FIRST_CENTRE}`;
}

/** `320508017-01` stands in `320508017`. */
export function divisionOfCentre(centre: string): string {
  return centre.slice(0, Math.max(0, centre.lastIndexOf('-')));
}

/** The centre one level up; undefined above the highest. */
export function centreAbove(centre: string): string | undefined {
  const division = divisionOfCentre(centre);
  const digits = LEVEL_DIGITS.findLast((length) => length < division.length);
  return digits === undefined ? undefined : `${division.slice(0, digits)}${FIRST_CENTRE}`;
}

/** Whether the first centre's division takes in the second's, and is not the same. */
export function isCentreAbove(upper: string, lower: string): boolean {
  const above = divisionOfCentre(upper);
  const below = divisionOfCentre(lower);
  return above.length < below.length && below.startsWith(above);
}
