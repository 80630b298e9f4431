// Runs the parts of a plan: the first at once, each block when the fetches that it depends on are done.
import { HubError } from '@weft/core/errors';
import type { DirectiveNode, GraphQLError } from 'graphql';
import { endGatherings } from '../compile/gathering.ts';
import type { Fetches, Part } from '../compile/parts.ts';
import type { Run } from '../compile/run.ts';
import { toGraphQLError } from '../execute/error-list.ts';

/** A block under way. */
export interface RunningBlock {
  readonly directive: DirectiveNode;
  readonly names: readonly string[];
  /** What failed in it; never rejects. */
  readonly errors: Promise<readonly GraphQLError[]>;
}

export interface RunningParts {
  /** What failed in the first part. */
  readonly first: Promise<readonly GraphQLError[]>;
  /** In the order of the fragments. */
  readonly blocks: readonly RunningBlock[];
}

/** @param createRun for each part one: they share the data and nothing else that is counted by fetches */
export function runParts(first: Part, createRun: () => Run): RunningParts {
  const fetched = new Map<string, PromiseWithResolvers<void>>();
  const whenFetched = (id: string) => fetched.getOrInsertComputed(id, () => Promise.withResolvers<void>());

  async function runPart({ run: runSteps, ids }: Fetches, run: Run): Promise<readonly GraphQLError[]> {
    run.onFetched = (id) => whenFetched(id).resolve();
    try {
      await runSteps?.(run);
    } catch (thrown) {
      const error = HubError.from(thrown);
      run.logger.error({ err: thrown, traceId: run.context.traceId }, 'a part failed in the hub itself');
      return [toGraphQLError(error, run.context.traceId)];
    } finally {
      endGatherings(run);
      // A fetch that a condition left out must not be waited for.
      for (const id of ids) whenFetched(id).resolve();
    }
    return run.errors.toArray();
  }

  const running = runPart(first, createRun());
  const blocks = first.blocks.map((block): RunningBlock => {
    const needed = block.depends.map((id) => whenFetched(id).promise);
    const errors = Promise.all(needed).then(() => runPart(block, createRun()));
    return { directive: block.directive, names: block.names, errors };
  });
  return { first: running, blocks };
}
