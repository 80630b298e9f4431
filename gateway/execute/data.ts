// The answers of subgraphs as they are put together: objects without a prototype, so that no key means more than data.
export type DataValue = null | undefined | boolean | number | string | DataObject | DataValue[];
/** Made by `createObject` only: a key named `__proto__` or `constructor` is an own key or absent. */
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

/** A deep copy of parsed JSON without prototypes; undefined when it is nested deeper than `depthMax`. */
export function copyData(value: unknown, depthMax: number): DataValue {
  if (typeof value !== 'object' || value === null) return value as DataValue;
  if (depthMax === 0) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => copyData(item, depthMax - 1));
    return items.includes(undefined) ? undefined : items;
  }
  const copy = createObject();
  for (const [key, item] of Object.entries(value)) {
    const copied = copyData(item, depthMax - 1);
    if (copied === undefined) return undefined;
    copy[key] = copied;
  }
  return copy;
}

/**
 * Puts `source` into `target`: objects key by key, lists of equal length element by element. A null never replaces
 * what another subgraph answered. What is put in is copied, since one entity may belong in several places.
 */
export function mergeObject(target: DataObject, source: DataObject): void {
  for (const key of Object.keys(source)) target[key] = mergeValue(target[key], source[key]);
}

function mergeValue(target: DataValue, source: DataValue): DataValue {
  if (source === undefined || (source === null && target !== undefined)) return target;
  if (Array.isArray(target) && Array.isArray(source) && target.length === source.length) {
    return target.map((item, index) => mergeValue(item, source[index]));
  }
  if (isDataObject(target) && isDataObject(source)) {
    mergeObject(target, source);
    return target;
  }
  return cloneData(source);
}

function cloneData(value: DataValue): DataValue {
  if (Array.isArray(value)) return value.map(cloneData);
  if (!isDataObject(value)) return value;
  const clone = createObject();
  for (const key of Object.keys(value)) clone[key] = cloneData(value[key]);
  return clone;
}

/** An object in the answer, and where it lies there. */
export interface Target {
  readonly object: DataObject;
  readonly path: Path;
}

/** The objects at a plan's path: names lead into objects, `@` into every element of a list. Nulls on the way are left out. */
export function findTargets(root: DataObject, path: readonly string[]): readonly Target[] {
  const targets: Target[] = [];
  collectTargets(root, path, 0, [], targets);
  return targets;
}

function collectTargets(
  value: DataValue,
  path: readonly string[],
  at: number,
  here: Path,
  targets: Target[],
): void {
  if (Array.isArray(value)) {
    // A list where the plan's path ends stands for its elements.
    if (at < path.length && path[at] !== '@') return;
    value.forEach((item, index) => {
      collectTargets(item, path, at < path.length ? at + 1 : at, [...here, index], targets);
    });
    return;
  }
  if (!isDataObject(value)) return;
  const segment = path[at];
  if (segment === undefined) targets.push({ object: value, path: here });
  else collectTargets(value[segment], path, at + 1, [...here, segment], targets);
}
