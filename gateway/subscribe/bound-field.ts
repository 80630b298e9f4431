// A live field as one group calls it: which events it takes, and what each of them brings.
import { hash } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import type { CloudEvent } from '@weft/events/envelope';
import type { LogEvent, LogGap, Position } from '@weft/events/event-log';
import { type CompiledMapping, compileMapping } from '@weft/schema/mapping/compile';
import type { EventStreamField, OperationContext, PreparedOperation } from '../engine.ts';
import type { Principal } from '../identity/principal.ts';
import { type CursorCodec, isSnapshotPlace, type Place, type StreamBinding } from './cursor.ts';
import type { FanOutLimits } from './limits.ts';
import { compileMessage, type MessagePicker } from './message.ts';
import { MARK_HOLE } from './payload.ts';

/** Events that some subscriber will not get on this stream. */
export interface StreamGap {
  readonly kind: 'gap';
  /** The last place before what is missing; resuming there brings what is still retained. */
  readonly from: Position;
  readonly to: Position;
  readonly reason: LogGap['reason'] | 'SLOW_CONSUMER';
}

/** What the engine is given for one entry, and what stands beside the answer. Cursors have `MARK_HOLE` in them. */
export interface Described {
  readonly message: Record<string, unknown>;
  readonly extensions: Record<string, unknown> | undefined;
  /** Where a subscriber stands that has it. */
  readonly position: Position | undefined;
  readonly stem: string;
  readonly subject: string | undefined;
}

export interface BoundField {
  readonly topic: string;
  readonly binding: StreamBinding;
  readonly args: Readonly<Record<string, unknown>>;
  /** Changes of one subject are gathered for so long; 0: they are not. */
  readonly intervalMs: number;
  readonly snapshot: string | undefined;
  /** Of the field, as composition has it. */
  readonly message: string;
  /** Changes of one subject are gathered into the latest. @throws when the data cannot be judged */
  subjectOf(event: LogEvent): string;
  /** Throws when the data cannot be judged. */
  accepts(data: unknown): boolean;
  describe(entry: LogEvent | StreamGap): Described;
  /** An object of a snapshot: `data` as an event of it would bring it. */
  describeState(data: Readonly<Record<string, unknown>>, place: Place): Described;
}

export interface BindingParts {
  readonly cursors: CursorCodec;
  readonly limits: Pick<FanOutLimits, 'coalesceIntervalMsMax'>;
}

/** Where a subscriber begins. */
export type Start =
  | { readonly kind: 'live' }
  | { readonly kind: 'after'; readonly position: Position }
  | { readonly kind: 'snapshot' }
  /** At now, with a message that says so. */
  | { readonly kind: 'bookmark' };

/**
 * @param asker of whose group it is: the group itself, but for a field that is personal
 * @throws HubError BAD_USER_INPUT when the variables do not fit
 */
export function bindField(
  { cursors, limits }: BindingParts,
  field: EventStreamField,
  variables: Readonly<Record<string, unknown>>,
  asker: Principal,
): BoundField {
  const args = field.argumentsOf(variables);
  const binding = { topic: field.topic, field: field.field };
  const { pick, where, brings, isPersonal } = compileField(field);
  const principal = isPersonal ? { key: personalKey(asker) } : undefined;
  const sourceOf = (data: CloudEvent['data']): object =>
    brings === undefined ? data : objectOf(brings.evaluate({ $: data, args }));
  const subjectOf = ({ event }: LogEvent) =>
    brings === undefined ? event.subject : JSON.stringify(pick(sourceOf(event.data) as CloudEvent['data']));
  const describer = new Describer(cursors, field, { pick, sourceOf, subjectOf }, binding);
  return {
    topic: field.topic,
    binding,
    args,
    intervalMs:
      field.coalesces === true
        ? intervalOf(args.intervalMs, field.everyMs ?? 0, limits.coalesceIntervalMsMax)
        : 0,
    snapshot: field.snapshot,
    message: field.message,
    subjectOf,
    accepts: (data) => where === undefined || where.evaluate({ $: data, args, principal }) === true,
    describe: (entry) => (entry.kind === 'event' ? describer.event(entry) : describer.gap(entry)),
    describeState: (data, place) => describer.state(data, place),
  };
}

/** @throws HubError INVALID_CURSOR when the cursor is not one of this field and principal, BAD_USER_INPUT for two beginnings */
export function startOf(
  cursors: CursorCodec,
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  { principal, after: given }: Pick<OperationContext, 'principal' | 'after'>,
): Start {
  const field = operation.eventStream;
  if (field === undefined) return { kind: 'live' };
  const { after: argument, from } = field.argumentsOf(variables);
  const after = given ?? argument;
  if (after === undefined || after === null)
    return { kind: field.snapshot === undefined ? 'live' : beginningOf(from) };
  const place = cursors.decode(after, { topic: field.topic, field: field.field, principal: principal.id });
  if (!isSnapshotPlace(place)) return { kind: 'after', position: place };
  if (field.snapshot === undefined)
    throw new HubError('INVALID_CURSOR', 'The cursor is amid a snapshot, which the field has no more.');
  return { kind: 'snapshot' };
}

function beginningOf(from: unknown): 'live' | 'snapshot' | 'bookmark' {
  if (from === 'SNAPSHOT') return 'snapshot';
  return from === 'BOOKMARK' ? 'bookmark' : 'live';
}

/** @throws HubError BAD_USER_INPUT */
function intervalOf(given: unknown, minMs: number, maxMs: number): number {
  if (given === undefined || given === null) return minMs;
  if (typeof given === 'number' && given >= minMs && given <= maxMs) return given;
  throw new HubError('BAD_USER_INPUT', `intervalMs: expected ${minMs} to ${maxMs}, got ${String(given)}`);
}

interface CompiledField {
  readonly pick: MessagePicker;
  readonly where: CompiledMapping | undefined;
  readonly brings: CompiledMapping | undefined;
  readonly isPersonal: boolean;
}

/** What a mapping yields, where that is an object. */
function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** Whether what a field brings depends on who asks: those who ask stand in groups of their own then. */
export function isPersonal(field: EventStreamField | undefined): boolean {
  return field !== undefined && compileField(field).isPersonal;
}

/** `$principal.key` of a `where`: an event says by it whose it is, and nothing of who that is. */
function personalKey({ id }: Principal): string {
  return hash('sha256', id, 'hex');
}

/** Once for all who subscribe to a field. */
const compiledFields = new WeakMap<EventStreamField, CompiledField>();

function compileField(field: EventStreamField): CompiledField {
  return compiledFields.getOrInsertComputed(field, () => {
    const { where: text } = field;
    const where = text === undefined ? undefined : compileMapping(text, { roots: ['args', 'principal'] });
    return {
      pick: compileMessage(field.message),
      where,
      brings: field.brings === undefined ? undefined : compileMapping(field.brings, { roots: ['args'] }),
      isPersonal: where?.references.some(({ root }) => root === 'principal') === true,
    };
  });
}

/** How an event becomes what a group gets. */
interface Picking {
  readonly pick: MessagePicker;
  sourceOf(data: CloudEvent['data']): object;
  subjectOf(event: LogEvent): string;
}

class Describer {
  readonly #cursors: CursorCodec;
  readonly #field: EventStreamField;
  readonly #picking: Picking;
  readonly #binding: StreamBinding;

  constructor(cursors: CursorCodec, field: EventStreamField, picking: Picking, binding: StreamBinding) {
    this.#cursors = cursors;
    this.#field = field;
    this.#picking = picking;
    this.#binding = binding;
  }

  event(entry: LogEvent): Described {
    const { event, position } = entry;
    const stem = this.#cursors.stem(position, this.#binding);
    const message = this.#message(this.#picking.sourceOf(event.data), stem, null);
    return { message, extensions: undefined, position, stem, subject: this.#picking.subjectOf(entry) };
  }

  gap({ from, to, reason }: StreamGap): Described {
    const stem = this.#cursors.stem(to, this.#binding);
    const fromCursor = this.#cursors.stem(from, this.#binding) + MARK_HOLE;
    const gap = { from: fromCursor, to: stem + MARK_HOLE, reason };
    const message = this.#message({}, stem, { __typename: 'Gap', ...gap });
    return { message, extensions: { weft: { gap } }, position: to, stem, subject: undefined };
  }

  state(data: Readonly<Record<string, unknown>>, place: Place): Described {
    const stem = this.#cursors.stem(place, this.#binding);
    const position = isSnapshotPlace(place) ? undefined : place;
    const message = this.#message(data, stem, null);
    return { message, extensions: undefined, position, stem, subject: undefined };
  }

  #message(data: object, stem: string, gap: object | null): Record<string, unknown> {
    const picked = this.#picking.pick(data as Parameters<MessagePicker>[0]);
    return { ...picked, __typename: this.#field.returnType, cursor: stem + MARK_HOLE, gap };
  }
}
