// The answers of subgraphs as they are put together: plain objects as JSON gave them, read and written by own keys only.
export type DataValue = null | undefined | boolean | number | string | DataObject | DataValue[];
/** Keys are of a subgraph's or a client's choosing: `readOwn` and `writeOwn` wherever a name is not known beforehand. */
export interface DataObject {
  [key: string]: DataValue;
}

export type Path = readonly (string | number)[];

export function createObject(): DataObject {
  return Object.create(null) as DataObject;
}

export function isDataObject(value: unknown): value is DataObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own property; what every object inherits (`constructor`, `toString`) is not data. */
export function readOwn(object: DataObject, name: string): DataValue {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Makes an own property, also where assigning would set the prototype. */
export function writeOwn(object: DataObject, name: string, value: DataValue): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** An object in the answer, and where it lies there. */
export interface Target {
  readonly object: DataObject;
  readonly path: Path;
}

/**
 * The objects at a plan's path and where they lie: names lead into objects, `@` into every element of a list. Nulls on the
 * way are left out; type conditions are not looked at, since the caller knows its objects.
 */
export function findTargets(root: DataObject, path: readonly string[]): readonly Target[] {
  const targets: Target[] = [];
  collectTargets(root, path, 0, [], targets);
  return targets;
}

/** A subgraph could nest lists without end. */
const PATH_SEGMENTS_MAX = 200;

const FRAGMENT_PREFIX = '... on ';

function collectTargets(
  value: DataValue,
  path: readonly string[],
  at: number,
  here: Path,
  targets: Target[],
): void {
  if (Array.isArray(value)) {
    // A list that no `@` stands for, as in lists of lists with one `@` only, stands for its elements.
    const next = path[at] === '@' ? at + 1 : at;
    if (here.length < PATH_SEGMENTS_MAX)
      value.forEach((item, index) => {
        collectTargets(item, path, next, [...here, index], targets);
      });
    return;
  }
  if (!isDataObject(value)) return;
  const segment = path[at];
  if (segment === undefined) targets.push({ object: value, path: here });
  else if (segment.startsWith(FRAGMENT_PREFIX)) collectTargets(value, path, at + 1, here, targets);
  else collectTargets(readOwn(value, segment), path, at + 1, [...here, segment], targets);
}
