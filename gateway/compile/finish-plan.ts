// Makes of a planner's plan the one that is run: mended where planners err, and asking for nothing that is known.
import { invariant } from '@weft/core/errors';
import type { GraphQLSchema } from 'graphql';
import type { Plan, Step } from '../plan/planner.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { keepAliasesApart } from './aliases-apart.ts';
import { askedTypesAt } from './asked-types.ts';
import { completeInterfaceObjects } from './interface-objects.ts';
import { leaveOutTypenames, type TypedPlan } from './known-types.ts';

interface Schemas {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  /** With hidden types and values. */
  readonly fullSchema: GraphQLSchema;
}

/** What of the plan of an operation is sent, and which types need not be asked for. */
export function finishPlan(planned: PlannedOperation, { schema, fullSchema }: Schemas): TypedPlan {
  const askedTypes: AskedTypes = (path, names) => askedTypesAt(schema, planned, path, names);
  const { primary, steps } = completeFetches(fullSchema, planned.plan, askedTypes);
  const apart = steps === undefined ? undefined : keepAliasesApart(schema, steps, planned);
  return leaveOutTypenames(fullSchema, { primary, steps: apart });
}

type AskedTypes = Parameters<typeof completeInterfaceObjects>[2];

/** With all of a subscription's fetches in view: its primary one brings what the others need. */
function completeFetches(
  schema: GraphQLSchema,
  { primary, steps }: Plan,
  askedTypes: AskedTypes,
): Pick<Plan, 'primary' | 'steps'> {
  const complete = (all: Step) => completeInterfaceObjects(schema, all, askedTypes);
  if (primary === undefined) return { primary, steps: steps === undefined ? undefined : complete(steps) };
  const all = complete({ kind: 'sequence', steps: steps === undefined ? [primary] : [primary, steps] });
  invariant(all.kind === 'sequence', 'what completes fetches changes nothing between them');
  const [first, rest] = all.steps;
  invariant(first?.kind === 'fetch', 'a primary fetch stays one');
  return { primary: first, steps: rest };
}
