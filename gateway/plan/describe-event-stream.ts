// What a transport must know of a subscription's live field to read the log for it.
import { HubError } from '@weft/core/errors';
import type { StreamField } from '@weft/schema/event-streams';
import { type FieldNode, type GraphQLSchema, getArgumentValues, getVariableValues, Kind } from 'graphql';
import type { EventStreamField } from '../engine.ts';
import { clientMessage } from './client-message.ts';
import type { PlannedOperation } from './prepare.ts';

/** Undefined for queries and mutations, and for a subscription whose field is not answered from the log. */
export function describeEventStream(
  schema: GraphQLSchema,
  streams: ReadonlyMap<string, StreamField>,
  planned: PlannedOperation,
  suggests: boolean,
): EventStreamField | undefined {
  if (planned.operation.operation !== 'subscription') return undefined;
  const node = planned.plan.primary?.selection.selections.find((selection) => selection.kind === Kind.FIELD);
  if (node === undefined || node.kind !== Kind.FIELD) return undefined;
  const stream = streams.get(node.name.value);
  if (stream === undefined) return undefined;
  return {
    field: node.name.value,
    responseName: (node.alias ?? node.name).value,
    topic: stream.topic,
    message: stream.message,
    where: stream.where,
    returnType: stream.returnType,
    argumentsOf: (variables) => argumentsOf(schema, planned, node, variables, suggests),
  };
}

/** @throws HubError BAD_USER_INPUT when a variable or an argument is not acceptable */
function argumentsOf(
  schema: GraphQLSchema,
  planned: PlannedOperation,
  node: FieldNode,
  variables: Readonly<Record<string, unknown>>,
  suggests: boolean,
): Readonly<Record<string, unknown>> {
  const definition = planned.rootType.getFields()[node.name.value];
  if (definition === undefined) return {};
  const result = getVariableValues(schema, planned.operation.variableDefinitions ?? [], variables);
  if (result.errors !== undefined) {
    const message = result.errors.map((error) => clientMessage(error.message, suggests)).join(' ');
    throw new HubError('BAD_USER_INPUT', message, { cause: result.errors[0] });
  }
  try {
    return getArgumentValues(definition, node, result.coerced);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : 'An argument is not acceptable.';
    throw new HubError('BAD_USER_INPUT', clientMessage(reason, suggests), { cause: thrown });
  }
}
