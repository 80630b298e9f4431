// What a transport must know of a subscription's live field to read the log for it.

import { HubError } from '@weft/core/errors';
import { joinTopics } from '@weft/events/several-topics';
import type { StreamField } from '@weft/schema/event-streams';
import {
  type FieldNode,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
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
    topic: joinTopics(stream.topics),
    message: stream.message,
    where: stream.where,
    returnType: stream.returnType,
    coalesces: stream.coalesces,
    brings: stream.brings,
    everyMs: stream.everyMs,
    snapshot: stream.snapshot,
    argumentsOf: (variables) => argumentsOf(schema, planned, node, variables, suggests),
    sharedVariables: createSharedVariables(schema, planned, node.name.value, suggests),
  };
}

/** Arguments of the live field that say where a subscriber begins, and nothing of what it gets from there on. */
const OF_THE_BEGINNING = new Set(['after', 'from']);

function createSharedVariables(
  schema: GraphQLSchema,
  planned: PlannedOperation,
  field: string,
  suggests: boolean,
): EventStreamField['sharedVariables'] {
  const names = new Set<string>();
  const types = new TypeInfo(schema);
  visit(
    planned.document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      Argument: ({ name }) => {
        const isRoot = types.getParentType() === planned.rootType && types.getFieldDef()?.name === field;
        return isRoot && OF_THE_BEGINNING.has(name.value) ? false : undefined;
      },
      Variable: ({ name }) => void names.add(name.value),
    }),
  );
  return (variables) => {
    if (names.size === 0) return {};
    const coerced = coerce(schema, planned, variables, suggests);
    return Object.fromEntries([...names].map((name) => [name, coerced[name]]));
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
  const coerced = coerce(schema, planned, variables, suggests);
  try {
    return getArgumentValues(definition, node, coerced);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : 'An argument is not acceptable.';
    throw new HubError('BAD_USER_INPUT', clientMessage(reason, suggests), { cause: thrown });
  }
}

/** @throws HubError BAD_USER_INPUT */
function coerce(
  schema: GraphQLSchema,
  planned: PlannedOperation,
  variables: Readonly<Record<string, unknown>>,
  suggests: boolean,
): Readonly<Record<string, unknown>> {
  const result = getVariableValues(schema, planned.operation.variableDefinitions ?? [], variables);
  if (result.errors === undefined) return result.coerced;
  const message = result.errors.map((error) => clientMessage(error.message, suggests)).join(' ');
  throw new HubError('BAD_USER_INPUT', message, { cause: result.errors[0] });
}
