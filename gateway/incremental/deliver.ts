// Puts together the answers of a deferred operation: the first when its own fetches are done, each fragment when its blocks are.
import { HubError } from '@weft/core/errors';
import type { GraphQLError, GraphQLSchema } from 'graphql';
import type { IncrementalResult, SubsequentResult } from '../engine.ts';
import type { DataObject, Path } from '../execute/data.ts';
import { toGraphQLError } from '../execute/error-list.ts';
import { findInstances, type Instance } from './instances.ts';
import type { RunningBlock } from './run-parts.ts';
import { type DeferredFragment, namesOf } from './split-selection.ts';

export interface Delivery {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  readonly blocks: readonly RunningBlock[];
  /** What the first part's fetches failed at and did not show. */
  readonly failed: readonly GraphQLError[];
  readonly traceId: string;
  /** Aborts when nobody wants more. */
  readonly signal: AbortSignal;
  /** Completes a fragment at an object; `failed` is what failed at and below the path so far, whichever part asked. */
  complete(
    fragment: DeferredFragment,
    instance: Instance,
    failed: readonly GraphQLError[],
  ): { readonly completed: DataObject | null; readonly errors: readonly GraphQLError[] };
}

interface Waiting {
  readonly fragment: DeferredFragment;
  /** From the root. */
  readonly names: readonly string[];
  /** The objects of the part that it stands in. */
  readonly within: readonly Instance[];
}

/** Results of one part: the client has them before the next are made, and other requests their turn between. */
const RESULTS_MAX = 500;

/** Results of one operation: objects times fragments. */
const DEFERRED_RESULTS_MAX = 20_000;

/** @param root the first part, with what stands in it */
export async function* deliver(
  delivery: Delivery,
  root: Instance,
  deferred: readonly DeferredFragment[],
): AsyncGenerator<SubsequentResult, void, undefined> {
  const pending = new Map<Waiting, Promise<Waiting>>();
  const wait = (waiting: Waiting) => {
    const ready = Promise.all(blocksOf(delivery, waiting).map(({ errors }) => errors));
    pending.set(
      waiting,
      ready.then(() => waiting),
    );
  };
  const aborted = whenAborted(delivery.signal);
  for (const waiting of waitingAt(deferred, [], [root])) wait(waiting);
  let left = DEFERRED_RESULTS_MAX;
  while (pending.size > 0) {
    const next = await Promise.race([aborted, ...pending.values()]);
    if (next === undefined) return;
    const incremental: IncrementalResult[] = [];
    // What came in the meantime goes along.
    for (const waiting of await settledOf(pending)) {
      const sent: Instance[] = [];
      const failed = await failedSoFar(delivery);
      for (const instance of instancesOf(delivery, waiting)) {
        if (left === 0) {
          incremental.push(leftOut(waiting, instance, delivery.traceId));
          yield { incremental, hasNext: false };
          return;
        }
        left -= 1;
        const result = resultAt(delivery, waiting, instance, failed);
        incremental.push(result);
        if (result.data !== null) sent.push({ ...instance, completed: result.data });
        if (incremental.length < RESULTS_MAX) continue;
        yield { incremental: incremental.splice(0), hasNext: true };
        await new Promise((resolve) => setImmediate(resolve));
        if (delivery.signal.aborted) return;
      }
      pending.delete(waiting);
      for (const inner of waitingAt(waiting.fragment.children, waiting.names, sent)) wait(inner);
    }
    const hasNext = pending.size > 0;
    if (incremental.length > 0) yield { incremental, hasNext };
    else if (!hasNext) yield { hasNext };
  }
}

function waitingAt(
  fragments: readonly DeferredFragment[],
  names: readonly string[],
  within: readonly Instance[],
): readonly Waiting[] {
  return fragments.map((fragment) => ({ fragment, names: [...names, ...namesOf(fragment.path)], within }));
}

/** Those of its `@defer` at its place: one, unless a fragment is spread there twice. */
function blocksOf({ blocks }: Delivery, { fragment, names }: Waiting): readonly RunningBlock[] {
  const own = blocks.filter(
    (block) => block.directive === fragment.directive && block.names.join('.') === names.join('.'),
  );
  return own.length > 0 ? own : blocks;
}

function instancesOf({ schema }: Delivery, { fragment, within }: Waiting): readonly Instance[] {
  return within.flatMap((each) => findInstances(schema, each, fragment));
}

/** A result whose `data` is as completed. */
interface CompletedResult extends IncrementalResult {
  readonly data: DataObject | null;
}

function resultAt(
  delivery: Delivery,
  { fragment }: Waiting,
  instance: Instance,
  failed: readonly GraphQLError[],
): CompletedResult {
  const { path } = instance;
  const below = failed.filter((error) => isWithin(error.path, path));
  const { completed, errors } = delivery.complete(fragment, instance, below);
  return {
    ...(fragment.label === undefined ? {} : { label: fragment.label }),
    path,
    data: completed,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function leftOut({ fragment }: Waiting, { path }: Instance, traceId: string): IncrementalResult {
  const details = { limit: 'deferredResultsMax', max: DEFERRED_RESULTS_MAX };
  const message = `Deferred fragments at more than ${DEFERRED_RESULTS_MAX} objects: the rest is left out.`;
  const error = new HubError('LIMIT_EXCEEDED', message, { details });
  const label = fragment.label === undefined ? {} : { label: fragment.label };
  return { ...label, path, data: null, errors: [toGraphQLError(error, traceId, path)] };
}

/** Of the parts that are done: a fragment's fields may come with another's. */
async function failedSoFar({ blocks, failed }: Delivery): Promise<readonly GraphQLError[]> {
  const settled = await Promise.all(blocks.map(({ errors }) => Promise.race([errors, NONE])));
  return [...failed, ...settled.flat()];
}

const NONE: Promise<readonly GraphQLError[]> = Promise.resolve([]);

/** An error without a path is of the whole. */
function isWithin(path: Path | undefined, of: Path): boolean {
  return path === undefined || of.every((segment, index) => segment === path[index]);
}

async function settledOf(pending: ReadonlyMap<Waiting, Promise<Waiting>>): Promise<readonly Waiting[]> {
  const settled: Waiting[] = [];
  for (const promise of pending.values()) void promise.then((waiting) => settled.push(waiting));
  await new Promise((resolve) => setImmediate(resolve));
  return [...settled];
}

/** Resolves with nothing when the signal aborts. */
function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
