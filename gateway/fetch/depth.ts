// Bounds how deep parsed JSON is nested, before anything that recurses walks it.

/**
 * Whether no object or list lies deeper than `depthMax` in the value. It visits all of it, and never more than
 * `depthMax` frames deep. For values of no known shape, and for large answers.
 */
export function isWithinDepth(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depthMax === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isWithinDepth(item, depthMax - 1)) return false;
    return true;
  }
  for (const key in value)
    if (!isWithinDepth((value as Record<string, unknown>)[key], depthMax - 1)) return false;
  return true;
}

/**
 * The same along first elements only: a hundred steps at most where a whole walk of an answer costs as much as a tenth
 * of its parsing. It names the usual bomb. What it misses harms nobody: V8 parses without recursion, the engine reads
 * known fields to the depth of the client's own (bounded) selection, and values of no known shape are walked whole.
 */
export function looksWithinDepth(value: unknown, depthMax: number): boolean {
  let at = value;
  for (let depth = 0; depth < depthMax; depth += 1) {
    if (typeof at !== 'object' || at === null) return true;
    at = Array.isArray(at) ? at[0] : firstOf(at as Record<string, unknown>);
  }
  return typeof at !== 'object' || at === null;
}

function firstOf(object: Record<string, unknown>): unknown {
  for (const key in object) return object[key];
  return undefined;
}
