// What a subgraph is asked that serves a subscription's field itself.
import { ERROR_CODES, HubError, isErrorCode } from '@weft/core/errors';
import { Kind } from 'graphql';
import type { UpstreamField } from '../engine.ts';
import type { FetchStep } from '../plan/planner.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import type { SubscriptionAddress } from '../upstream/settings.ts';
import { coerceVariables, type VariableOptions } from './coerce-variables.ts';
import type { Variables } from './collect-fields.ts';

export interface UpstreamOptions extends VariableOptions {
  /** By the subgraph's name; none of the one that the gateway answers itself. */
  readonly addresses: ReadonlyMap<string, SubscriptionAddress>;
}

/**
 * Undefined for queries and mutations, and for a subscription whose field is answered from the event log.
 * @param primary with what other fetches need of it
 */
export function describeUpstream(
  options: UpstreamOptions,
  planned: PlannedOperation,
  primary: FetchStep | undefined,
): UpstreamField | undefined {
  if (planned.operation.operation !== 'subscription' || primary === undefined) return undefined;
  const address = options.addresses.get(primary.system);
  const hasField = primary.selection.selections.some(({ kind }) => kind === Kind.FIELD);
  if (address === undefined || !hasField) return undefined;
  const sharedVariables = (variables: Readonly<Record<string, unknown>>): Variables => {
    const result = coerceVariables(options, planned, variables, '');
    if ('errors' in result) throw refusalFrom(result.errors);
    return result.coerced;
  };
  return {
    ...address,
    system: primary.system,
    document: primary.operation,
    operationName: primary.operationName,
    sharedVariables,
    variablesOf(variables) {
      const coerced = sharedVariables(variables);
      const used = primary.variableNames.filter((name) => Object.hasOwn(coerced, name));
      return Object.fromEntries(used.map((name) => [name, coerced[name]]));
    },
  };
}

function refusalFrom(
  errors: Extract<ReturnType<typeof coerceVariables>, { readonly errors: unknown }>['errors'],
): HubError {
  const code = errors[0]?.extensions.code;
  const message = errors.map((error) => error.message).join(' ');
  return new HubError(
    isErrorCode(code) ? code : 'BAD_USER_INPUT',
    message || ERROR_CODES.BAD_USER_INPUT.means,
  );
}
