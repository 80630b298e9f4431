// Makes a payload of what a group's source brings: executed as the group, once for all of it.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { LogEvent } from '@weft/events/event-log';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Engine, OperationContext, PreparedOperation } from '../engine.ts';
import type { BoundField, Described, StreamGap } from './bound-field.ts';
import type { SourceGap, SourceResult } from './live-source.ts';
import { createPayload, type GroupPayload, MARK_HOLE } from './payload.ts';

/** What a group runs as now: another operation after each reload of the graph. */
export interface Running {
  readonly operation: PreparedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Undefined for a field that is not answered from the log. */
  readonly field: BoundField | undefined;
  readonly context: OperationContext;
}

export interface ExecutionParts {
  readonly engine: Pick<Engine, 'executeEvent' | 'executeResult'>;
  readonly logger: Logger;
}

const NO_PLACE = { position: undefined, subject: undefined, stem: undefined };

/** Never rejects, so that one event's misfortune does not end the stream. */
export function executeEntry(
  parts: ExecutionParts,
  running: Running,
  entry: LogEvent | StreamGap | SourceResult | SourceGap,
): Promise<GroupPayload> {
  switch (entry.kind) {
    case 'event':
    case 'gap': {
      const { field } = running;
      if (field === undefined) return Promise.resolve(lostPayload(entry.kind === 'gap' ? entry.reason : ''));
      return executeDescribed(parts, running, field.describe(entry));
    }
    case 'result':
      return executeResult(parts, running, entry);
    case 'lost':
      return Promise.resolve(lostPayload(entry.reason));
    default:
      return entry satisfies never;
  }
}

export async function executeDescribed(
  parts: ExecutionParts,
  { operation, variables, context }: Running,
  { message, extensions, ...place }: Described,
): Promise<GroupPayload> {
  try {
    const result = await parts.engine.executeEvent(operation, variables, message, context);
    const weft = {
      ...(result.extensions?.weft as object | undefined),
      ...(extensions?.weft as object | undefined),
    };
    const whole =
      extensions === undefined
        ? result
        : { ...result, extensions: { ...result.extensions, ...extensions, weft } };
    return createPayload(whole, place);
  } catch (thrown) {
    // The cursor lets the client come back to exactly this event's place.
    const weft = { ...(extensions?.weft as object | undefined), cursor: place.stem + MARK_HOLE };
    return createPayload({ ...failed(parts, context, thrown), extensions: { weft } }, place);
  }
}

/** What a source without positions lost. */
export function lostPayload(reason: string): GroupPayload {
  return createPayload({ data: null, extensions: { weft: { gap: { reason } } } }, NO_PLACE);
}

async function executeResult(
  parts: ExecutionParts,
  { operation, variables, context }: Running,
  { result }: SourceResult,
): Promise<GroupPayload> {
  try {
    const { engine } = parts;
    if (engine.executeResult === undefined)
      throw new HubError('INTERNAL_SERVER_ERROR', 'This engine runs events of the log only.');
    return createPayload(await engine.executeResult(operation, variables, result, context), NO_PLACE);
  } catch (thrown) {
    return createPayload(failed(parts, context, thrown), NO_PLACE);
  }
}

function failed({ logger }: ExecutionParts, { traceId }: OperationContext, thrown: unknown): ExecutionResult {
  const error = HubError.from(thrown);
  if (error.code !== 'CANCELLED') logger.error({ err: thrown, traceId }, 'an event could not be executed');
  const extensions = { ...error.toExtensions(), traceId };
  return { data: null, errors: [new GraphQLError(error.message, { extensions })] };
}
