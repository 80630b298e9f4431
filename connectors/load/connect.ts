// Runs one connect plan: the call through the guard, business errors told, the answer mapped to rows.
import type { MappingScope } from '@weft/schema/mapping/compile';
import { operationOfAmqp } from '../amqp/client.ts';
import { operationOfMqtt } from '../mqtt/client.ts';
import type { CallPlan, ConnectPlan } from '../plan.ts';
import { operationOf } from '../rest/client.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import type { RequestContext } from './request-context.ts';
import { listStored } from './stored.ts';
import { type GuardedSource, sourceOf } from './system.ts';

/** What a select yields for one record. */
export type Row = Readonly<Record<string, unknown>>;

/** What varies from call to call: `$args`, `$this`, `$batch`. */
export type CallScope = Pick<MappingScope, 'args' | 'this' | 'batch'>;

/**
 * Calls the source and maps its answer. An answer of one object is a list of one; of nothing, an empty list.
 * @throws HubError of the source; UPSTREAM_INVALID with `upstreamCode` when the answer says that it failed
 */
export async function callConnect(
  request: RequestContext,
  connect: ConnectPlan,
  variable: CallScope,
  isRead = true,
): Promise<readonly Row[]> {
  const { system } = request;
  if (connect.call.protocol === 'store') return listStored(request, connect.call, variable.args ?? {});
  const source = sourceOf(system, connect.source);
  const context: CallContext = {
    system: system.plan.name,
    source: connect.source,
    operation: operationName(connect.call),
  };
  const scope: MappingScope = {
    ...variable,
    env: system.env,
    timezone: source.plan.timezone,
    onUnknownValue: (value) => system.onUnknownValue(context, String(value)),
  };
  const answer = await send(request, source, connect, scope, context.operation, isRead);
  return mapAnswer(connect, answer, scope, context);
}

function send(
  request: RequestContext,
  source: GuardedSource,
  connect: ConnectPlan,
  scope: MappingScope,
  operation: string,
  isRead: boolean,
): Promise<unknown> {
  const { client } = source.opened;
  const correlationId = request.correlationId;
  return source.guard.run({
    operation,
    isRead,
    signal: request.signal,
    // The two kinds of client differ in what they take; the compiler has checked that call and source agree.
    execute: (signal) => {
      request.onSend?.();
      const call = () =>
        (client as { call(call: CallPlan, scope: MappingScope, options: object): Promise<unknown> }).call(
          connect.call,
          scope,
          { signal, correlationId, isRead },
        );
      const { protocol } = source.opened;
      return (
        request.system.calls?.watch({ source: connect.source, protocol, operation, scope }, call) ?? call()
      );
    },
  });
}

/** The rows of an answer; pure, so that it can be tested without a source. */
export function mapAnswer(
  connect: ConnectPlan,
  answer: unknown,
  scope: MappingScope,
  context: CallContext,
): readonly Row[] {
  const answerScope = { ...scope, $: answer };
  if (connect.failWhen !== undefined && isTrue(connect.failWhen.evaluate(answerScope))) {
    const upstreamCode = findBusinessCode(answer);
    throw upstreamError(
      'UPSTREAM_INVALID',
      'the answer says that the call failed',
      context,
      upstreamCode === undefined ? {} : { upstreamCode },
      undefined,
      true,
    );
  }
  if (connect.emptyWhen !== undefined && isTrue(connect.emptyWhen.evaluate(answerScope))) return [];
  if (connect.call.protocol === 'sql') {
    return asList(answer).flatMap((row) => asRows(connect.select.evaluate({ ...scope, $: row })));
  }
  return asRows(connect.select.evaluate(answerScope));
}

function isTrue(value: unknown): boolean {
  return value === true;
}

function asList(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function asRows(value: unknown): readonly Row[] {
  const list = asList(value);
  // Nearly every list holds objects alone, and need not be copied.
  for (const row of list) if (!isRow(row)) return list.filter(isRow);
  return list as readonly Row[];
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null;
}

const CODE_FIELDS = ['code', 'Code', 'RetCode', 'retCode', 'errcode', 'errCode'];
const CODE_DEPTH_MAX = 4;
const CODE_LENGTH_MAX = 40;

/** The old system's own code, wherever it stands near the top of the answer. */
export function findBusinessCode(answer: unknown, depth = 0): string | undefined {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer) || depth >= CODE_DEPTH_MAX)
    return undefined;
  const object = answer as Readonly<Record<string, unknown>>;
  for (const field of CODE_FIELDS) {
    const value = Object.hasOwn(object, field) ? object[field] : undefined;
    if (typeof value === 'string' || typeof value === 'number')
      return String(value).slice(0, CODE_LENGTH_MAX);
  }
  for (const value of Object.values(object)) {
    const found = findBusinessCode(value, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The operation of a call in the words of its protocol. */
export function operationName(call: CallPlan): string {
  switch (call.protocol) {
    case 'rest':
      return operationOf(call);
    case 'soap':
      return call.operation;
    case 'sql':
      return call.table;
    case 'store':
      return `store ${call.type}`;
    case 'amqp':
      return operationOfAmqp(call);
    case 'mqtt':
      return operationOfMqtt(call);
    default:
      return call satisfies never;
  }
}
