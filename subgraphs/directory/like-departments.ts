// Which departments somebody may have meant by a text that is the code of none.
import { slipsBetween } from '@weft/core/like-names';

/** What of a department people write. */
export interface NamedDepartment {
  readonly code: string;
  readonly name: string;
  readonly fullName: string;
}

/** So many are named at most. */
const LIKE_MAX = 3;

/** @returns those whose code or name the text is like; the likest first, none for what is like none */
export function likeDepartments<Department extends NamedDepartment>(
  text: string,
  departments: readonly Department[],
): readonly Department[] {
  const typed = text.trim().replaceAll(/[\s_]+/g, '-');
  return departments
    .map((department) => {
      const { code, name, fullName } = department;
      const slips = Math.min(...[code, name, fullName].map((known) => slipsBetween(typed, known)));
      return { department, slips };
    })
    .filter(({ slips }) => slips < Number.POSITIVE_INFINITY)
    .toSorted((one, other) => one.slips - other.slips)
    .slice(0, LIKE_MAX)
    .map(({ department }) => department);
}
