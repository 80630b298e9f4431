// Puts what a subgraph tells of its answer to the paths that the client knows, as failures.ts does with errors.
import { renamed, visiblePath } from '../execute/client-paths.ts';
import { type DataObject, findTargets } from '../execute/data.ts';
import type { ToldPart } from '../fetch/told.ts';
import type { FetchStep } from '../plan/planner.ts';
import type { Run } from './run.ts';

/**
 * One part below the objects of a fetch; `path` begins at them. What the plan fetches for its own use is told at the place that
 * needs it when it is stale, and otherwise not at all: a record's key least of all.
 */
export function placeTold(
  run: Run,
  step: FetchStep,
  objects: ReadonlySet<DataObject> | undefined,
  { path, entry }: ToldPart,
): void {
  const names = path.map((segment) => (typeof segment === 'string' ? renamed(step, segment) : segment));
  const isStale = entry.kind === 'freshness' && entry.state === 'STALE';
  for (const target of findTargets(run.data, step.path)) {
    if (objects !== undefined && !objects.has(target.object)) continue;
    const whole = [...target.path, ...names];
    const visible = visiblePath(run.operation, whole, run.variables);
    if (visible === undefined) continue;
    if (isStale || visible.length === whole.length) run.told.add(entry, visible);
  }
}
