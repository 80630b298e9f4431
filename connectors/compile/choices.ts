// What decoders of arguments share: exactly one of several, numbers within a range, what an address may read.
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';

/** Of an address: sources are opened before anyone asks, so that it reads the environment and nothing else. */
export const ENVIRONMENT = { env: undefined };

/** The one of `names` that is there; an issue when it is none or several. */
export function exactlyOne<Name extends string>(
  given: Arguments,
  names: readonly Name[],
  owner: string,
  issues: IssueList,
): Name | undefined {
  const present = names.filter((name) => given.has(name));
  if (present.length === 0) {
    issues.add('NO_PROTOCOL', given.node, `${owner} has none of ${names.join(', ')}`, 'give it exactly one');
  } else if (present.length > 1) {
    issues.add('TWO_PROTOCOLS', given.node, `${owner} has ${present.join(' and ')}`, 'keep exactly one');
  }
  return present.length === 1 ? present[0] : undefined;
}

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
