// Reads a number that must lie in a range.
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';

/** A number in a range; an issue and undefined when it is outside. */
export function readNumber(
  given: Arguments,
  name: string,
  range: readonly [number, number],
  issues: IssueList,
): number | undefined {
  const value = given.number(name);
  if (value === undefined) return undefined;
  if (value >= range[0] && value <= range[1]) return value;
  issues.add('BAD_VALUE', given.nodeOf(name), `${name} is ${value}`, `expected ${range[0]} to ${range[1]}`);
  return undefined;
}
