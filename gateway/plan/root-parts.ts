// Parts a query by its root fields, which need nothing of each other, and joins the plans of the parts.
import { type DocumentNode, Kind, OperationTypeNode, type SelectionNode } from 'graphql';
import { operationOf, withoutUnused } from './fetch-text.ts';
import type { Plan, PlannerRequest, Step } from './planner.ts';

/** The root selections that can be planned apart; none where their order matters, or an event stream hangs on one. */
export function rootsOf(document: DocumentNode): readonly SelectionNode[] {
  const { operation, selectionSet } = operationOf(document);
  return operation === OperationTypeNode.QUERY ? selectionSet.selections : [];
}

/** The same request with only these of its root selections. */
export function requestOf(request: PlannerRequest, roots: readonly SelectionNode[]): PlannerRequest {
  const { document } = request;
  const operation = operationOf(document);
  const part = { ...operation, selectionSet: { ...operation.selectionSet, selections: roots } };
  const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return { ...request, document: withoutUnused({ ...document, definitions: [part, ...fragments] }) };
}

/** One plan that does what all of them do. */
export function joinPlans(first: Plan, second: Plan): Plan {
  const steps = [first.steps, second.steps].filter((step): step is Step => step !== undefined);
  const [only] = steps;
  return {
    steps: steps.length < 2 ? only : { kind: 'parallel', steps },
    primary: undefined,
    planner: first.planner,
    secondPlanner: second.planner,
  };
}
