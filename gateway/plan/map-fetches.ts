// Changes each fetch of a plan, wherever it stands.
import { ALWAYS, type Guard } from './guards.ts';
import type { FetchStep, Step } from './planner.ts';

/** @param within the conditions that the step is behind */
export type ChangeFetch = (fetch: FetchStep, within: Guard) => FetchStep;

/** The steps with each fetch changed. @param within the conditions that all of them are behind */
export function mapFetches(step: Step, change: ChangeFetch, within: Guard = ALWAYS): Step {
  const mapped = (child: Step | undefined, own = within) =>
    child === undefined ? undefined : mapFetches(child, change, own);
  const knowing = (variable: string, value: boolean) => new Map([...within, [variable, value]]);
  switch (step.kind) {
    case 'fetch':
      return change(step, within);
    case 'sequence':
    case 'parallel':
      return { ...step, steps: step.steps.map((child) => mapFetches(child, change, within)) };
    case 'condition':
      return {
        ...step,
        whenTrue: mapped(step.whenTrue, knowing(step.variable, true)),
        whenFalse: mapped(step.whenFalse, knowing(step.variable, false)),
      };
    case 'defer':
      return {
        ...step,
        primary: { ...step.primary, steps: mapped(step.primary.steps) },
        deferred: step.deferred.map((block) => ({ ...block, steps: mapped(block.steps) })),
      };
    default:
      return step satisfies never;
  }
}
