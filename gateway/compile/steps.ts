// Compiles a plan's steps into one function: what is a sequence waits, what is parallel does not.
import type { GraphQLSchema } from 'graphql';
import type { DataObject } from '../execute/data.ts';
import type { FetchStep, Step } from '../plan/planner.ts';
import { runContextFetch } from './context-fetch.ts';
import { runEntityFetches } from './entity-fetch.ts';
import { type CompiledFetch, compileFetch } from './fetches.ts';
import { joinGroup, leaveGroup } from './gathering.ts';
import { type Group, type Schedule, scheduleFetches } from './groups.ts';
import { type KnownTypes, NO_KNOWN_TYPES } from './known-types.ts';
import { compileReuse, type Reuse } from './reuse.ts';
import { runRootFetch } from './root-fetch.ts';
import type { Run } from './run.ts';

/** Never rejects for a subgraph's failure. Undefined when there was nothing to wait for. */
export type RunSteps = (run: Run) => Promise<void> | undefined;

/** @param schema the supergraph's whole schema */
export function compileSteps(
  schema: GraphQLSchema,
  steps: Step,
  known: KnownTypes = NO_KNOWN_TYPES,
): RunSteps {
  const fetches = new Map<FetchStep, CompiledFetch>();
  const fetchOf = (step: FetchStep) =>
    fetches.getOrInsertComputed(step, () => compileFetch(schema, step, fetches.size, known));
  addFetches(steps, fetchOf);
  const all = [...fetches.values()];
  const reuses = compileReuse(schema, all);
  const sources = new Set([...reuses.values()].flatMap((reuse) => reuse.sources));
  const schedule = scheduleFetches(steps, all, fetchOf, sources);
  const runSteps = compileStep({ ...schedule, fetchOf, reuses, sources }, steps);
  if (schedule.unawaited.size === 0) return runSteps;
  return async (run) => {
    await runSteps(run);
    await Promise.all(run.unawaited);
  };
}

interface Compilation extends Schedule {
  fetchOf(step: FetchStep): CompiledFetch;
  readonly reuses: ReadonlyMap<CompiledFetch, Reuse>;
  /** Fetches that others may take from. */
  readonly sources: ReadonlySet<CompiledFetch>;
}

function addFetches(step: Step, fetchOf: (step: FetchStep) => CompiledFetch): void {
  if (step.kind === 'fetch') fetchOf(step);
  else for (const child of childrenOf(step)) addFetches(child, fetchOf);
}

/** The steps below one that is no fetch. */
export function childrenOf(step: Exclude<Step, FetchStep>): readonly Step[] {
  switch (step.kind) {
    case 'sequence':
    case 'parallel':
      return step.steps;
    case 'condition':
      return [step.whenTrue, step.whenFalse].filter((child) => child !== undefined);
    case 'defer':
      return [step.primary.steps, ...step.deferred.map(({ steps }) => steps)].filter(
        (child) => child !== undefined,
      );
    default:
      return step satisfies never;
  }
}

function compileStep(compilation: Compilation, step: Step): RunSteps {
  switch (step.kind) {
    case 'fetch': {
      const fetch = compilation.fetchOf(step);
      const runFetch = compileNamed(
        step,
        compileSource(compilation, fetch, compileFetchStep(compilation, fetch)),
      );
      return compilation.unawaited.has(fetch) ? compileUnawaited(runFetch) : runFetch;
    }
    case 'sequence':
      return compileSequence(step.steps.map((child) => compileStep(compilation, child)));
    case 'parallel':
      return compileParallel(step.steps.map((child) => compileStep(compilation, child)));
    case 'condition':
      return compileCondition(compilation, step);
    case 'defer':
      // In one answer: what is deferred comes after what is not, and each block after those before it.
      return compileSequence(childrenOf(step).map((child) => compileStep(compilation, child)));
    default:
      return step satisfies never;
  }
}

/** A fetch that deferred blocks depend on says when it is done. */
function compileNamed({ id }: FetchStep, runFetch: RunSteps): RunSteps {
  if (id === undefined) return runFetch;
  return (run) => {
    const running = runFetch(run);
    if (running === undefined) run.onFetched?.(id);
    return running?.finally(() => run.onFetched?.(id));
  };
}

/** While a fetch is under way, those that may take from it can wait for it. */
function compileSource({ sources }: Compilation, fetch: CompiledFetch, runFetch: RunSteps): RunSteps {
  if (!sources.has(fetch)) return runFetch;
  return (run) => {
    const running = runFetch(run);
    if (running === undefined) return undefined;
    const end = () => {
      run.underWay[fetch.number] = undefined;
    };
    run.underWay[fetch.number] = running.then(end, end);
    return running;
  };
}

/** The steps after it go on; the operation's end waits for it. */
function compileUnawaited(runFetch: RunSteps): RunSteps {
  return (run) => {
    const running = runFetch(run);
    if (running === undefined) return undefined;
    // It is awaited later: a failure of the hub itself must not count as unhandled until then.
    running.catch(() => undefined);
    run.unawaited.push(running);
    return undefined;
  };
}

function compileSequence(steps: readonly RunSteps[]): RunSteps {
  const [only, second] = steps;
  if (only !== undefined && second === undefined) return only;
  return async (run) => {
    for (const step of steps) {
      const running = step(run);
      if (running !== undefined) await running;
    }
  };
}

function compileParallel(steps: readonly RunSteps[]): RunSteps {
  return (run) => {
    const running: Promise<void>[] = [];
    for (const step of steps) {
      const one = step(run);
      if (one !== undefined) running.push(one);
    }
    return running.length > 1 ? Promise.all(running).then(() => undefined) : running[0];
  };
}

function compileCondition(compilation: Compilation, step: Step & { readonly kind: 'condition' }): RunSteps {
  const compileBranch = (branch: Step | undefined) =>
    branch === undefined ? undefined : compileStep(compilation, branch);
  const [whenTrue, whenFalse] = [compileBranch(step.whenTrue), compileBranch(step.whenFalse)];
  const groupsOf = (branch: Step | undefined) => {
    const groups: Group[] = [];
    if (branch !== undefined)
      addFetches(branch, (fetch) => {
        const compiled = compilation.fetchOf(fetch);
        const group = compilation.groups.get(compiled);
        if (group !== undefined) groups.push(group);
        return compiled;
      });
    return groups;
  };
  const [ofTrue, ofFalse] = [groupsOf(step.whenTrue), groupsOf(step.whenFalse)];
  return (run) => {
    const isTrue = run.variables[step.variable] === true;
    for (const group of isTrue ? ofFalse : ofTrue) leaveGroup(run, group);
    return (isTrue ? whenTrue : whenFalse)?.(run);
  };
}

function compileFetchStep(compilation: Compilation, fetch: CompiledFetch): RunSteps {
  const { step } = fetch;
  if (step.contextRewrites.length > 0) return (run) => runContextFetch(run, fetch);
  if (step.requires === undefined) return (run) => runRootFetch(run, fetch);
  const group = compilation.groups.get(fetch);
  const reuse = compilation.reuses.get(fetch);
  const runWith = (run: Run, objects: readonly DataObject[]): Promise<void> | undefined => {
    if (objects.length === 0) {
      if (group !== undefined) leaveGroup(run, group);
      return undefined;
    }
    const ready = { fetch, objects };
    return group === undefined ? runEntityFetches(run, [ready], undefined) : joinGroup(run, group, ready);
  };
  if (reuse === undefined) return (run) => runWith(run, fetch.find(run.data));
  // One that is sent together with it waits for it in turn.
  const awaited = reuse.sources.filter((source) => group?.members.includes(source) !== true);
  return (run) => {
    const found = fetch.find(run.data);
    if (found.length === 0) return runWith(run, found);
    const waiting = waitForSources(run, awaited);
    if (waiting === undefined) return runWith(run, reuse.fill(run, found));
    return waiting.then(() => runWith(run, reuse.fill(run, found)));
  };
}

/** How long a fetch waits for one that may bring what it asks for; both ask the same system. */
const SOURCE_TIMEOUT_MS = 100;

function waitForSources(run: Run, sources: readonly CompiledFetch[]): Promise<void> | undefined {
  const underWay = sources.flatMap(({ number }) => run.underWay[number] ?? []);
  if (underWay.length === 0) return undefined;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SOURCE_TIMEOUT_MS);
    void Promise.all(underWay).then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
