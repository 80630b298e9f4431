// Runs an operation with `@defer`: the first answer, and a stream of what follows.

import type { ExecutionResult, GraphQLError, SelectionSetNode } from 'graphql';
import type { ExecutionContext, SupergraphFacts } from '../compile/compile-operation.ts';
import type { CompiledParts, Part } from '../compile/parts.ts';
import type { Run } from '../compile/run.ts';
import type { IncrementalExecution, SubsequentResult } from '../engine.ts';
import { visiblePath } from '../execute/client-paths.ts';
import type { CollectedFields, Variables } from '../execute/collect-fields.ts';
import { type Completion, completeFragment, completeRoot } from '../execute/complete.ts';
import { completionOf } from '../execute/completion-of.ts';
import { createObject, type DataObject, type Path } from '../execute/data.ts';
import { createErrorList, type ErrorList } from '../execute/error-list.ts';
import { createToldList, type ToldList } from '../execute/told-list.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { toAbortSignal } from '../stop-signal.ts';
import { type Delivery, deliver } from './deliver.ts';
import { endingWith } from './ending-with.ts';
import type { Instance } from './instances.ts';
import { runParts } from './run-parts.ts';
import { type SplitSelection, splitSelection } from './split-selection.ts';

export interface DeferredOperation {
  readonly planned: PlannedOperation;
  readonly facts: SupergraphFacts;
  readonly parts: CompiledParts;
  /** What one part of it shares while it runs. */
  operationOf(variables: Variables, context: ExecutionContext, data: DataObject): Run;
}

/** Undefined when nothing is held back under these variables. Never rejects for a subgraph's failure. */
export function runIncrementally(
  deferred: DeferredOperation,
  variables: Variables,
  context: ExecutionContext,
): Promise<ExecutionResult | IncrementalExecution> | undefined {
  const part = deferred.parts(variables);
  if (part === undefined) return undefined;
  const { operation, fragments } = deferred.planned;
  const split = splitSelection(operation.selectionSet, fragments, variables);
  return split.deferred.length === 0 ? undefined : runSplit(deferred, part, split, variables, context);
}

async function runSplit(
  { planned, facts, operationOf }: DeferredOperation,
  part: Part,
  { kept, deferred }: SplitSelection,
  variables: Variables,
  context: ExecutionContext,
): Promise<ExecutionResult | IncrementalExecution> {
  const { rootType, fragments } = planned;
  const data = createObject();
  const unresolved: Run['unresolved'] = new Map();
  const told = createToldList();
  // What nobody waits for any more is given up: below a null, behind a limit, or when the client goes.
  const givenUp = new AbortController();
  const signal = AbortSignal.any([toAbortSignal(context.fetch.signal), givenUp.signal]);
  const own: ExecutionContext = { ...context, fetch: { ...context.fetch, signal } };
  const running = runParts(part, () => ({ ...operationOf(variables, own, data), unresolved, told }));
  const errorsWith = (failed: readonly GraphQLError[]) =>
    withFailed(createErrorList(context.fetch.traceId, facts.errorsMax), failed);
  // What is asked of a type is collected once, however many objects there are.
  const shared = completionOf(planned, facts, { variables, unresolved }, errorsWith([]));
  const fieldsOf = createFieldsOf(shared);
  // A fetch may serve both: what it failed at is told with the part that shows it.
  const isShown = (selectionSet: SelectionSetNode, path: Path | undefined) =>
    path === undefined || visiblePath({ selectionSet, fragments }, path, variables)?.length === path.length;
  const failed = await running.first;
  const completion = { ...shared, errors: errorsWith(failed.filter(({ path }) => isShown(kept, path))) };
  const completed = completeRoot(completion, rootType, fieldsOf(rootType, kept), data);
  const errors = completion.errors.toArray();
  const initial = withTold(errors.length === 0 ? { data: completed } : { errors, data: completed }, told);
  // Nothing follows a null that went up to the root.
  if (completed === null) {
    givenUp.abort();
    return initial;
  }
  const delivery: Delivery = {
    schema: facts.schema,
    blocks: running.blocks,
    failed: failed.filter(({ path }) => !isShown(kept, path)),
    traceId: context.fetch.traceId,
    signal,
    complete({ selectionSet }, { type, data: object, path }, failedBelow) {
      const shown = failedBelow.filter((error) => isShown(selectionSet, error.path?.slice(path.length)));
      const fragmentErrors = errorsWith(shown);
      const at = { ...shared, errors: fragmentErrors };
      const value = completeFragment(at, type, fieldsOf(type, selectionSet), object, path);
      return { completed: value, errors: fragmentErrors.toArray() };
    },
  };
  const root = { path: [], type: rootType, completed, data };
  const subsequent = endingWith(tellingLast(deliver(delivery, root, deferred), told), () => givenUp.abort());
  return { initial: { ...initial, hasNext: true }, subsequent };
}

/** The last part tells of all that came after the first. */
async function* tellingLast(
  parts: AsyncGenerator<SubsequentResult, void, undefined>,
  told: ToldList,
): AsyncGenerator<SubsequentResult, void, undefined> {
  for await (const part of parts) yield part.hasNext ? part : withTold(part, told);
}

function withTold<Result extends object>(result: Result, told: ToldList): Result {
  const weft = told.take();
  return weft === undefined ? result : { ...result, extensions: { weft } };
}

function createFieldsOf({ collector }: Completion) {
  const known = new Map<SelectionSetNode, Map<Instance['type'], CollectedFields>>();
  return (type: Instance['type'], selectionSet: SelectionSetNode): CollectedFields =>
    known
      .getOrInsertComputed(selectionSet, () => new Map())
      .getOrInsertComputed(type, () => collector.ofSelectionSet(type, selectionSet));
}

/** What subgraphs failed at is told, and explains nulls, as if it were in the list. */
function withFailed(list: ErrorList, failed: readonly GraphQLError[]): ErrorList {
  return {
    add: list.add,
    explains: (path) =>
      list.explains(path) ||
      failed.some(
        (error) =>
          error.path === undefined ||
          error.path.every((segment, at) => at >= path.length || segment === path[at]),
      ),
    toArray: () => [...failed, ...list.toArray()],
  };
}
