// Runs an entity fetch whose fields take values from objects above the entity (`@fromContext`): one request for each combination.
import type { GraphQLSchema } from 'graphql';
import { type DataObject, type DataValue, isDataObject, readOwn } from '../execute/data.ts';
import { isObjectOfType } from '../execute/object-type.ts';
import type { ContextRewrite } from '../plan/planner.ts';
import { runEntityFetches } from './entity-fetch.ts';
import type { CompiledFetch } from './fetches.ts';
import type { Run } from './run.ts';

/** An object with those that it lies in, the nearest last. */
interface Placed {
  readonly object: DataObject;
  readonly above: readonly DataObject[];
}

const FRAGMENT_PREFIX = '... on ';

export async function runContextFetch(run: Run, fetch: CompiledFetch): Promise<void> {
  const { step } = fetch;
  // The compiled walk knows the path's type conditions; this one knows what lies above.
  const wanted = new Set(fetch.find(run.data));
  const placed: Placed[] = [];
  place(run.data, step.path, 0, [], placed);
  const groups = new Map<string, DataObject[]>();
  for (const each of placed) {
    if (!wanted.has(each.object)) continue;
    const text = step.contextRewrites
      .map((rewrite) => `${JSON.stringify(rewrite.to)}:${JSON.stringify(valueAt(run.schema, rewrite, each))}`)
      .join(',');
    groups.getOrInsertComputed(text, () => []).push(each.object);
  }
  await Promise.all(
    [...groups].map(([text, objects]) => runEntityFetches(run, [{ fetch, objects }], undefined, text)),
  );
}

function place(
  value: DataValue,
  path: readonly string[],
  at: number,
  above: readonly DataObject[],
  placed: Placed[],
): void {
  if (Array.isArray(value)) {
    const next = path[at] === '@' ? at + 1 : at;
    for (const item of value) place(item, path, next, above, placed);
    return;
  }
  if (!isDataObject(value)) return;
  const segment = path[at];
  if (segment === undefined) placed.push({ object: value, above });
  else if (segment.startsWith(FRAGMENT_PREFIX)) place(value, path, at + 1, above, placed);
  else place(readOwn(value, segment), path, at + 1, [...above, value], placed);
}

/** Null where there is no such value: the subgraph then says what it makes of that. */
function valueAt(schema: GraphQLSchema, { path }: ContextRewrite, { object, above }: Placed): DataValue {
  const line = [...above, object];
  const up = path.lastIndexOf('..') + 1;
  let value: DataValue =
    line[line.length - 1 - path.slice(0, up).filter((segment) => segment === '..').length];
  for (const segment of path.slice(up)) {
    if (!isDataObject(value)) return null;
    if (!segment.startsWith(FRAGMENT_PREFIX)) value = readOwn(value, segment);
    else if (!isObjectOfType(schema, value, segment.slice(FRAGMENT_PREFIX.length), true)) return null;
  }
  return value ?? null;
}
