// A live field as one subscription calls it: which events it takes, and what each of them brings.
import { HubError } from '@weft/core/errors';
import type { Position } from '@weft/events/event-log';
import { type CompiledMapping, compileMapping } from '@weft/schema/mapping/compile';
import type { EventStreamField, PreparedOperation } from '../engine.ts';
import type { CursorBinding, CursorCodec } from './cursor.ts';
import type { QueueEntry, StreamGap } from './event-queue.ts';
import { compileMessage, type MessagePicker } from './message.ts';

/** What is compiled once for all who subscribe to a field. */
export interface CompiledField {
  readonly pick: MessagePicker;
  readonly where: CompiledMapping | undefined;
}

/** What the engine is given for one entry, and what stands beside the answer. */
export interface Described {
  readonly message: Record<string, unknown>;
  readonly extensions: Record<string, unknown> | undefined;
}

export interface BoundField {
  readonly topic: string;
  /** Where the client wants to go on. */
  readonly after: Position | undefined;
  /** Throws when the data cannot be judged. */
  accepts(data: unknown): boolean;
  describe(entry: QueueEntry): Described;
}

export interface BindingParts {
  readonly cursors: CursorCodec;
  readonly compiled: WeakMap<EventStreamField, CompiledField>;
}

/** @throws HubError BAD_USER_INPUT when the variables do not fit, INVALID_CURSOR when the cursor is not one of this field and principal */
export function bindField(
  parts: BindingParts,
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  principal: string,
): BoundField {
  const field = operation.eventStream;
  if (field === undefined)
    throw new HubError('BAD_USER_INPUT', 'expected a subscription to a field of the event log');
  const args = field.argumentsOf(variables);
  const binding = { topic: field.topic, field: field.field, principal };
  const after =
    args.after === undefined || args.after === null ? undefined : parts.cursors.decode(args.after, binding);
  const { pick, where } = compileField(parts.compiled, field);
  return {
    topic: field.topic,
    after,
    accepts: (data) => where === undefined || where.evaluate({ $: data, args }) === true,
    describe: createDescriber(parts.cursors, field, pick, binding),
  };
}

function compileField(compiledFields: BindingParts['compiled'], field: EventStreamField): CompiledField {
  const known = compiledFields.get(field);
  if (known !== undefined) return known;
  const compiled = {
    pick: compileMessage(field.message),
    where: field.where === undefined ? undefined : compileMapping(field.where, { roots: ['args'] }),
  };
  compiledFields.set(field, compiled);
  return compiled;
}

function createDescriber(
  cursors: CursorCodec,
  field: EventStreamField,
  pick: MessagePicker,
  binding: CursorBinding,
): (entry: QueueEntry) => Described {
  const cursorOf = (position: Position) => cursors.encode(position, binding);
  const toGap = ({ from, to, reason }: StreamGap) => ({ from: cursorOf(from), to: cursorOf(to), reason });
  return (entry) => {
    if (entry.kind === 'event') {
      const cursor = cursorOf(entry.position);
      const message = { ...pick(entry.event.data), __typename: field.returnType, cursor, gap: null };
      return { message, extensions: undefined };
    }
    const gap = toGap(entry);
    const message = {
      ...pick({}),
      __typename: field.returnType,
      cursor: gap.to,
      gap: { __typename: 'Gap', ...gap },
    };
    return { message, extensions: { weft: { gap } } };
  };
}
