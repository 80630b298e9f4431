// Executes a plan's steps: each fetch is sent, rewritten, merged where it belongs, and its errors put at the client's paths.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { GraphQLSchema } from 'graphql';
import type { FetchStep, Step } from '../plan/planner.ts';
import { type ClientSelection, missedPaths, renamed, visiblePath } from './client-paths.ts';
import type { Variables } from './collect-fields.ts';
import { type DataObject, findTargets, isDataObject, mergeObject, type Path, type Target } from './data.ts';
import type { ErrorList } from './error-list.ts';
import { applyRewrites, buildRepresentations, type Representation } from './representations.ts';
import type { SubgraphClient } from './subgraph-client.ts';
import type { UpstreamAnswer } from './upstream-answer.ts';

/** One execution of an operation. */
export interface Run {
  readonly client: SubgraphClient;
  /** The supergraph's whole schema. */
  readonly schema: GraphQLSchema;
  /** Subgraph name to URL. */
  readonly urls: ReadonlyMap<string, string>;
  readonly operation: ClientSelection;
  /** Coerced, defaults filled in. */
  readonly variables: Variables;
  /** Grows while steps are run. */
  readonly data: DataObject;
  readonly errors: ErrorList;
  readonly signal: AbortSignal;
  readonly deadlineAtMs: number;
  readonly traceId: string;
  readonly logger: Logger;
}

/** Never rejects for a subgraph's failure: that is an error in the list, and steps that need nothing of it go on. */
export async function runStep(run: Run, step: Step): Promise<void> {
  switch (step.kind) {
    case 'sequence':
      for (const child of step.steps) await runStep(run, child);
      return;
    case 'parallel':
      await Promise.all(step.steps.map((child) => runStep(run, child)));
      return;
    case 'condition': {
      const branch = run.variables[step.variable] === true ? step.whenTrue : step.whenFalse;
      if (branch !== undefined) await runStep(run, branch);
      return;
    }
    case 'fetch':
      return runFetch(run, step);
    default:
      step satisfies never;
  }
}

async function runFetch(run: Run, step: FetchStep): Promise<void> {
  const targets = findTargets(run.data, step.path);
  if (targets.length === 0) return;
  if (step.requires === undefined) return fetchFields(run, step, targets);
  const representations = buildRepresentations(run.schema, step, targets);
  if (representations.length > 0) await fetchEntities(run, step, representations);
}

/** Root fields: what came belongs at every target. */
async function fetchFields(run: Run, step: FetchStep, targets: readonly Target[]): Promise<void> {
  const answer = await send(run, step, {}, targets);
  if (answer === undefined) return;
  for (const { error, path } of answer.errors) {
    for (const target of targets) {
      if (path === undefined) addMissed(run, step, [target], error);
      else run.errors.add(error, clientPath(run, step, target.path, path));
    }
  }
  if (answer.data === null) return;
  applyRewrites(run.schema, step.outputRewrites, answer.data);
  for (const target of targets) mergeObject(target.object, answer.data);
}

async function fetchEntities(run: Run, step: FetchStep, all: readonly Representation[]): Promise<void> {
  const targets = all.flatMap((representation) => representation.targets);
  const answer = await send(run, step, { representations: all.map(({ value }) => value) }, targets);
  if (answer === undefined) return;
  addEntityErrors(run, step, all, answer);
  const entities = answer.data?._entities;
  if (!Array.isArray(entities) || entities.length !== all.length) {
    // Without entities there are errors already, unless the answer contradicts the question.
    if (answer.errors.length === 0) addMissed(run, step, targets, wrongEntities(step.system, all.length));
    return;
  }
  for (const [index, representation] of all.entries()) {
    const entity = entities[index];
    if (!isDataObject(entity)) continue;
    applyRewrites(run.schema, step.outputRewrites, entity);
    for (const target of representation.targets) mergeObject(target.object, entity);
  }
}

function wrongEntities(system: string, count: number): HubError {
  const message = `${system} answered with something that cannot be used (expected ${count} entities)`;
  return new HubError('UPSTREAM_INVALID', message, { system });
}

function addEntityErrors(
  run: Run,
  step: FetchStep,
  all: readonly Representation[],
  answer: UpstreamAnswer,
): void {
  for (const { error, path } of answer.errors) {
    const index = path?.[0] === '_entities' ? path[1] : undefined;
    const representation = typeof index === 'number' ? all[index] : undefined;
    if (representation === undefined || path === undefined) {
      addMissed(
        run,
        step,
        all.flatMap(({ targets }) => targets),
        error,
      );
    } else if (path.length === 2) {
      addMissed(run, step, representation.targets, error);
    } else {
      for (const target of representation.targets) {
        run.errors.add(error, clientPath(run, step, target.path, path.slice(2)));
      }
    }
  }
}

/** `undefined` when nothing came: the error then stands at every path that misses something. */
async function send(
  run: Run,
  step: FetchStep,
  extra: Readonly<Record<string, unknown>>,
  targets: readonly Target[],
): Promise<UpstreamAnswer | undefined> {
  try {
    return await run.client.send({
      system: step.system,
      url: run.urls.get(step.system) ?? '',
      query: step.operation,
      operationName: step.operationName,
      variables: { ...pickVariables(run.variables, step.variableNames), ...extra },
      isMutation: step.operationKind === 'mutation',
      signal: run.signal,
      deadlineAtMs: run.deadlineAtMs,
      traceId: run.traceId,
    });
  } catch (thrown) {
    const error = HubError.from(thrown, { system: step.system });
    logFailure(run, error);
    addMissed(run, step, targets, error);
    return undefined;
  }
}

/** Without a stack: a system that does not answer is no mistake of the hub. */
function logFailure({ logger, traceId }: Run, error: HubError): void {
  const { system, code, cause } = error;
  if (code === 'CANCELLED') return;
  if (code === 'INTERNAL_SERVER_ERROR')
    logger.error({ err: cause, system, traceId }, 'a fetch failed in the hub itself');
  else
    logger.warn(
      { system, code, cause: cause === undefined ? undefined : String(cause), traceId },
      error.message,
    );
}

function pickVariables(variables: Variables, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) if (Object.hasOwn(variables, name)) picked[name] = variables[name];
  return picked;
}

function addMissed(run: Run, step: FetchStep, targets: readonly Target[], error: HubError): void {
  for (const target of targets) {
    for (const path of missedPaths(run.schema, run.operation, step, target, run.variables))
      run.errors.add(error, path);
  }
}

function clientPath(run: Run, step: FetchStep, base: Path, path: Path): Path {
  const names = path.map((segment) => (typeof segment === 'string' ? renamed(step, segment) : segment));
  return visiblePath(run.operation, [...base, ...names]);
}
