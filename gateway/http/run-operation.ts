// Runs a prepared operation for one HTTP request: whole or in parts, watched, and cancelled when its client goes.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { ExecutionResult } from 'graphql';
import type {
  Engine,
  IncrementalExecution,
  OperationContext,
  PreparedOperation,
  SubsequentResult,
} from '../engine.ts';
import type { Principal } from '../identity/principal.ts';
import { withInspection } from '../observe/inspect.ts';
import type { Observer } from '../observe/observer.ts';
import { noteResult, type OperationWatch } from '../observe/operation-watch.ts';
import { watchParts } from '../observe/watch-parts.ts';
import { StopSource } from '../stop-signal.ts';
import { type IncrementalType, sendParts } from './incremental-delivery.ts';
import type { HttpLimits } from './limits.ts';
import type { Reply } from './reply.ts';
import type { GraphQLRequest } from './request.ts';

export interface RunOptions {
  readonly observer: Observer;
  readonly limits: Pick<HttpLimits, 'partDrainTimeoutMs'>;
  readonly vary: string;
}

export interface RunningOperation {
  readonly engine: Engine;
  readonly prepared: PreparedOperation;
  readonly request: GraphQLRequest;
  readonly principal: Principal;
  readonly headers: IncomingHttpHeaders;
  readonly watch: OperationWatch;
}

/** The caller closes the watch, when the answer is sent. */
export async function answerWhole(
  options: RunOptions,
  operation: RunningOperation,
  reply: Pick<Reply, 'raw'>,
): Promise<ExecutionResult> {
  const { engine, prepared, request, watch } = operation;
  const { context, end } = begin(options, operation, reply);
  try {
    const result = await engine.execute(prepared, request.variables, context);
    noteResult(watch, result);
    return watch.inspection === undefined ? result : inspected(operation, result);
  } finally {
    end();
  }
}

/** Closes the watch with the last part. */
export async function answerInParts(
  options: RunOptions,
  operation: RunningOperation,
  reply: FastifyReply,
  type: IncrementalType,
): Promise<FastifyReply> {
  const { engine, prepared, request, watch } = operation;
  watch.transport = 'parts';
  const { context, end } = begin(options, operation, reply);
  try {
    const execute = (prepared.isDeferred === true && engine.executeIncrementally) || engine.execute;
    const executed = await execute(prepared, request.variables, context);
    const result = watchResult(operation, executed);
    const { partDrainTimeoutMs } = options.limits;
    return sendParts(reply.header('vary', options.vary), type, result, partDrainTimeoutMs, () => {
      end();
      options.observer.close(watch);
    });
  } catch (thrown) {
    end();
    throw thrown;
  }
}

function watchResult(
  operation: RunningOperation,
  result: ExecutionResult | IncrementalExecution,
): ExecutionResult | IncrementalExecution {
  const { watch } = operation;
  if ('initial' in result) return watchParts(watch, result, (last) => inspected(operation, last));
  noteResult(watch, result);
  return inspected(operation, result);
}

/** With what the client may see of the inside, when it asked for that. */
function inspected<Result extends ExecutionResult | SubsequentResult>(
  { engine, prepared, watch }: RunningOperation,
  result: Result,
): Result {
  if (watch.inspection === undefined) return result;
  return { ...result, extensions: withInspection(result.extensions, watch, engine, prepared) };
}

/** Cancels what is under way when the client goes. */
function begin(
  { observer }: RunOptions,
  { watch, principal, headers }: RunningOperation,
  reply: Pick<Reply, 'raw'>,
): { readonly context: OperationContext; end(): void } {
  const gone = new StopSource();
  let isUnderWay = true;
  // Not taken off at the end: that costs more than a call that finds nothing to do, and a response closes once.
  reply.raw.on('close', () => {
    if (isUnderWay) gone.abort();
  });
  observer.allowInspection(watch, headers, principal);
  watch.isExecuted = true;
  return {
    context: { signal: gone, traceId: watch.traceId, principal, headers, watch },
    end: () => {
      isUnderWay = false;
    },
  };
}
