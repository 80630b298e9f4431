// The process that plans: one operation after another, on one supergraph at a time, for the gateway that started it.
import { flushCompileCache } from 'node:module';
import { invariant } from '@weft/core/errors';
import { createPlannerChooser, type PlannerChooser } from './choose-planner.ts';
import type {
  PlanMessage,
  PlannerAnswer,
  PlannerInstruction,
  PlannerProcessData,
} from './planner-messages.ts';
import { watchParent } from './watch-parent.ts';

invariant(process.send !== undefined, 'the planning process is started by the gateway');
let chooser: PlannerChooser | undefined;
/** Whether there are modules that the compile cache was not told of. */
let hasLoaded = true;
watchParent();
process.on('disconnect', () => process.exit());
process.on('message', (instruction: PlannerInstruction) => void follow(instruction));

async function follow(instruction: PlannerInstruction): Promise<void> {
  switch (instruction.kind) {
    case 'start':
      tell(await start(instruction.data));
      return keepCompiled();
    case 'plan':
      invariant(chooser !== undefined, 'a plan is asked for before the supergraph is known');
      tell(await answer(chooser, instruction.message));
      return keepCompiled();
    default:
      instruction satisfies never;
  }
}

/**
 * Node writes its compile cache when a process ends by itself, which this one never does: without, each start would strip the
 * types and compile again, for 24 MB and half of the time. What is written already costs nothing.
 */
function keepCompiled(): void {
  if (hasLoaded) flushCompileCache();
  hasLoaded = false;
}

/** Written to the pipe before it returns, unless that is full: native code that ends the process does so after the message. */
function tell(message: PlannerAnswer): void {
  process.send?.(message);
}

async function start({ supergraphSdl, planner }: PlannerProcessData): Promise<PlannerAnswer> {
  // What the last one holds can be freed before the next is made.
  chooser = undefined;
  try {
    chooser = await createPlannerChooser(supergraphSdl, planner, {
      onLoading(isLoading) {
        hasLoaded = true;
        tell({ kind: isLoading ? 'loading' : 'loaded' });
      },
      onBegun: (name) => tell({ kind: 'begun', planner: name }),
    });
    return { kind: 'ready', preferred: chooser.preferred };
  } catch (thrown) {
    return { kind: 'unusable', reason: reasonOf(thrown) };
  }
}

async function answer(ready: PlannerChooser, { request, avoid }: PlanMessage): Promise<PlannerAnswer> {
  try {
    return { kind: 'planned', plan: await ready.plan(request, avoid) };
  } catch (thrown) {
    return { kind: 'failed', reason: reasonOf(thrown) };
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
