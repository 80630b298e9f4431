// A request's variables as the operation declares them, or what is wrong with them, bounded in depth and in words.
import { HubError } from '@weft/core/errors';
import { type GraphQLError, type GraphQLSchema, getVariableValues } from 'graphql';
import type { EngineLimits } from '../limits.ts';
import { clientMessage } from '../plan/client-message.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import type { Variables } from './collect-fields.ts';
import { toGraphQLError } from './error-list.ts';

export interface VariableOptions {
  readonly schema: GraphQLSchema;
  readonly limits: Pick<EngineLimits, 'variablesDepthMax'>;
  /** Whether names of the schema that are like a wrong one may be told. */
  readonly suggests: boolean;
}

const NO_VARIABLES: Variables = Object.freeze({});

const VARIABLE_ERRORS_MAX = 20;

export function coerceVariables(
  { schema, limits, suggests }: VariableOptions,
  planned: PlannedOperation,
  variables: Readonly<Record<string, unknown>>,
  traceId: string,
): { readonly coerced: Variables } | { readonly errors: readonly GraphQLError[] } {
  const definitions = planned.operation.variableDefinitions ?? [];
  if (definitions.length === 0) return { coerced: NO_VARIABLES };
  // What coerces them recurses, and so does what writes them to a subgraph.
  if (isDeeperThan(variables, limits.variablesDepthMax))
    return { errors: [toGraphQLError(tooDeep(limits.variablesDepthMax), traceId)] };
  const result = getVariableValues(schema, definitions, variables, { maxErrors: VARIABLE_ERRORS_MAX });
  if (result.errors === undefined) return { coerced: result.coerced };
  const messages = result.errors.map((error) => clientMessage(error.message, suggests));
  return {
    errors: messages.map((message) => toGraphQLError(new HubError('BAD_USER_INPUT', message), traceId)),
  };
}

/** Goes no deeper than it allows. */
function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depthMax < 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, depthMax - 1));
  for (const name in value)
    if (isDeeperThan((value as Readonly<Record<string, unknown>>)[name], depthMax - 1)) return true;
  return false;
}

function tooDeep(max: number): HubError {
  const message = `The variables have more than ${max} objects and lists nested.`;
  return new HubError('LIMIT_EXCEEDED', message, { details: { limit: 'variablesDepthMax', max } });
}
