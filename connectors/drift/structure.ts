// A contract as a set of named facts, so that two of them can be compared whatever the order and the words in them.
import { createHash } from 'node:crypto';

/** What a contract says: each thing by its name, and what it is. */
export type Structure = ReadonlyMap<string, string>;

export interface Comparison {
  /** `+ added`, `- removed`, `~ changed: before -> now`, at most CHANGES_MAX. */
  readonly changes: readonly string[];
  /** How many there are in all. */
  readonly changeCount: number;
}

/** Changes that are kept of one comparison. */
export const CHANGES_MAX = 50;
const CHANGE_LENGTH_MAX = 300;

export function compareStructures(before: Structure, now: Structure): Comparison {
  const removed = [...before.keys()].filter((name) => !now.has(name)).map((name) => `- ${name}`);
  const added = [...now.keys()].filter((name) => !before.has(name)).map((name) => `+ ${name}`);
  const changed = [...before].flatMap(([name, what]) => {
    const other = now.get(name);
    return other === undefined || other === what ? [] : [`~ ${name}: ${what} -> ${other}`];
  });
  const all = [...changed, ...removed, ...added];
  return {
    changes: all.slice(0, CHANGES_MAX).map((change) => change.slice(0, CHANGE_LENGTH_MAX)),
    changeCount: all.length,
  };
}

/** The same for equal structures, whatever their order. */
export function hashOfStructure(structure: Structure): string {
  const hash = createHash('sha256');
  for (const [name, what] of [...structure].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name}\0${what}\0`);
  return hash.digest('hex').slice(0, 32);
}

/**
 * Compares the header of a CSV file with the columns that a description names.
 * @returns columns that are gone, and new ones; their order is not a change
 */
export function compareHeader(expected: readonly string[], header: readonly string[]): Comparison {
  const facts = (names: readonly string[]): Structure => new Map(names.map((name) => [`column ${name}`, '']));
  return compareStructures(facts(expected), facts(header));
}
