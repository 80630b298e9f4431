// The cost of one operation: refused above the maximum, estimated for its variables, counted in its answer.
import { HubError } from '@weft/core/errors';
import type { FragmentDefinitionNode, OperationDefinitionNode } from 'graphql';
import type { OperationCost } from '../engine.ts';
import { createActualCost } from './actual.ts';
import { resolveAmount } from './amount.ts';
import { type CostOptions, estimateOperation } from './estimate.ts';

export type CostOf = (
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
) => OperationCost;

/**
 * Called before an operation is planned.
 * @throws HubError LIMIT_EXCEEDED naming estimate and maximum, when no variables could bring it below
 */
export function createCostOf(options: CostOptions & { readonly costMax: number }): CostOf {
  const { costMax } = options;
  return (operation, fragments) => {
    const amount = estimateOperation(options, operation, fragments);
    requireAffordable(resolveAmount(amount, undefined), costMax);
    const estimate = (variables: Readonly<Record<string, unknown>>) => resolveAmount(amount, variables);
    let count: ((data: unknown) => number) | undefined;
    return {
      estimate,
      require:
        typeof amount === 'number'
          ? undefined
          : (variables) => requireAffordable(estimate(variables), costMax),
      actual(data) {
        count ??= createActualCost(options, operation, fragments);
        return count(data);
      },
    };
  };
}

/** @throws HubError LIMIT_EXCEEDED */
function requireAffordable(estimate: number, max: number): void {
  if (estimate <= max) return;
  const message = `The operation is estimated to cost ${estimate}; the most is ${max}.`;
  throw new HubError('LIMIT_EXCEEDED', message, { details: { limit: 'costMax', max, estimate } });
}
