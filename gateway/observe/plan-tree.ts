// A plan as JSON for a reader: the same steps that are printed, as a tree that a program can draw.
import { print } from 'graphql';
import type { FetchStep, Step } from '../plan/planner.ts';

export type PlanNode =
  | {
      readonly kind: 'fetch';
      readonly system: string;
      readonly operation: FetchStep['operationKind'];
      /** Where the answer belongs: response names, `@` for every element of a list. */
      readonly path: readonly string[];
      /** Whether entities are asked about by their keys. */
      readonly isEntities: boolean;
      /** What is selected there, as GraphQL. */
      readonly selection: string;
    }
  | { readonly kind: 'sequence' | 'parallel'; readonly nodes: readonly PlanNode[] }
  | {
      readonly kind: 'condition';
      readonly variable: string;
      readonly whenTrue?: PlanNode;
      readonly whenFalse?: PlanNode;
    }
  | {
      readonly kind: 'defer';
      readonly primary?: PlanNode;
      readonly deferred: readonly {
        readonly label?: string;
        readonly path: readonly string[];
        readonly node?: PlanNode;
      }[];
    };

export function planTree(step: Step): PlanNode {
  switch (step.kind) {
    case 'fetch':
      return {
        kind: 'fetch',
        system: step.system,
        operation: step.operationKind,
        path: step.path,
        isEntities: step.requires !== undefined,
        selection: print(step.selection),
      };
    case 'sequence':
    case 'parallel':
      return { kind: step.kind, nodes: step.steps.map(planTree) };
    case 'condition':
      return {
        kind: 'condition',
        variable: step.variable,
        ...optional('whenTrue', step.whenTrue),
        ...optional('whenFalse', step.whenFalse),
      };
    case 'defer':
      return {
        kind: 'defer',
        ...optional('primary', step.primary.steps),
        deferred: step.deferred.map(({ label, path, steps }) => ({
          ...(label === undefined ? {} : { label }),
          path,
          ...optional('node', steps),
        })),
      };
    default:
      return step satisfies never;
  }
}

function optional<Name extends string>(
  name: Name,
  step: Step | undefined,
): { readonly [Key in Name]?: PlanNode } {
  return step === undefined ? {} : ({ [name]: planTree(step) } as { readonly [Key in Name]?: PlanNode });
}
