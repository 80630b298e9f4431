// Puts what a subgraph failed at where the client sees it; walks the answer again for the paths, which only failures need.
import type { HubError } from '@weft/core/errors';
import { missedPaths, renamed, visiblePath } from '../execute/client-paths.ts';
import { type DataObject, findTargets, type Path } from '../execute/data.ts';
import type { UpstreamError } from '../fetch/subgraph-client.ts';
import type { FetchStep } from '../plan/planner.ts';
import type { Run } from './run.ts';

/** The error at every path that misses something: at all the fetch's objects, or at some of them. */
export function addMissed(
  run: Run,
  step: FetchStep,
  objects: ReadonlySet<DataObject> | undefined,
  error: HubError,
): void {
  for (const target of findTargets(run.data, step.path)) {
    if (objects !== undefined && !objects.has(target.object)) continue;
    for (const path of missedPaths(run.schema, run.operation, step, target, run.variables))
      run.errors.add(error, path);
  }
}

/** The error at a path below the objects. */
export function addBelow(
  run: Run,
  step: FetchStep,
  objects: ReadonlySet<DataObject> | undefined,
  path: Path,
  error: HubError,
): void {
  const names = path.map((segment) => (typeof segment === 'string' ? renamed(step, segment) : segment));
  for (const target of findTargets(run.data, step.path)) {
    if (objects !== undefined && !objects.has(target.object)) continue;
    const visible = visiblePath(run.operation, [...target.path, ...names], run.variables);
    if (visible !== undefined) run.errors.add(error, visible);
  }
}

/** Of one answer; the rest says the same as a rule. */
const HIDDEN_LOGGED_MAX = 10;

/** What a subgraph said and no client should read. */
export function logHidden({ logger, context }: Run, errors: readonly UpstreamError[]): void {
  if (errors.length === 0) return;
  const hidden = errors.filter(({ error }) => error.cause !== undefined).slice(0, HIDDEN_LOGGED_MAX);
  for (const { error, path } of hidden) {
    const { system, code, cause } = error;
    const entry = { system, code, cause: String(cause), path, traceId: context.traceId };
    logger.warn(entry, 'a subgraph said what no client should read');
  }
}

/** Without a stack: a system that does not answer is no mistake of the hub. */
export function logFailure({ logger, context }: Run, error: HubError): void {
  const { system, code, cause } = error;
  const { traceId } = context;
  if (code === 'CANCELLED') return;
  if (code === 'INTERNAL_SERVER_ERROR')
    logger.error({ err: cause, system, traceId }, 'a fetch failed in the hub itself');
  else
    logger.warn(
      { system, code, cause: cause === undefined ? undefined : String(cause), traceId },
      error.message,
    );
}
