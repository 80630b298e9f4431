// The smallest engine of the gateway's interface: it answers with what it was given, so that a transport is tested alone.
import type { Engine, EventStreamField, OperationContext, PreparedOperation } from '@weft/gateway/engine';
import { buildSchema, type ExecutionResult, GraphQLError, getOperationAST, parse } from 'graphql';

export interface EchoEngineOptions {
  readonly topic: string;
  readonly where?: string;
  /** Runs before an event's result is given. */
  beforeEvent?(message: Readonly<Record<string, unknown>>, context: OperationContext): Promise<void>;
  /** Runs before a query's or mutation's result is given. */
  beforeResult?(context: OperationContext): Promise<void>;
}

export const LIVE_FIELD = 'thingChanged';

/** `{ data: { variables } }` for queries; the message itself, under the field's name, for events. */
export function createEchoEngine(options: EchoEngineOptions): Engine {
  const eventStream: EventStreamField = {
    field: LIVE_FIELD,
    responseName: LIVE_FIELD,
    topic: options.topic,
    message: '{ thing { id } n }',
    where: options.where,
    returnType: 'ThingChanged',
    argumentsOf: (variables) => variables,
    sharedVariables: ({ after: _after, from: _from, ...shared }) => shared,
  };
  return {
    schema: buildSchema('type Query { any: Int } type Subscription { any: Int }'),
    prepare: (query) => prepare(query, eventStream),
    async execute(_operation, variables, context) {
      await options.beforeResult?.(context);
      return { data: { variables } };
    },
    async executeEvent(_operation, _variables, message, context): Promise<ExecutionResult> {
      await options.beforeEvent?.(message, context);
      return { data: { [LIVE_FIELD]: message } };
    },
  };
}

function prepare(query: string, eventStream: EventStreamField): ReturnType<Engine['prepare']> {
  try {
    const kind = getOperationAST(parse(query))?.operation ?? 'query';
    return (kind === 'subscription' ? { kind, eventStream } : { kind }) satisfies PreparedOperation;
  } catch (thrown) {
    const message = (thrown as Error).message;
    return { errors: [new GraphQLError(message, { extensions: { code: 'GRAPHQL_PARSE_FAILED' } })] };
  }
}
