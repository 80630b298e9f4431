// Picks from an event's data what a live field's `message` says that the event brings.
import { HubError } from '@weft/core/errors';
import type { CloudEvent } from '@weft/events/envelope';
import { Kind, parse, type SelectionSetNode } from 'graphql';

/** Takes an event's data; gives the fields of the message, null where the data has none. */
export type MessagePicker = (data: CloudEvent['data']) => Record<string, unknown>;

/** Fields of the message by name; a leaf is undefined. */
interface MessageTree extends ReadonlyMap<string, MessageTree | undefined> {}

/**
 * Compiles a selection set such as `{ incident { id } change }`. A field without a selection takes its value whole.
 * @throws HubError INTERNAL_SERVER_ERROR for what composition refuses: fragments, aliases, arguments
 */
export function compileMessage(message: string): MessagePicker {
  const [definition] = parse(message, { noLocation: true }).definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw notAMessage(message);
  const tree = toTree(definition.selectionSet, message);
  return (data) => pickObject(tree, data);
}

function toTree(selectionSet: SelectionSetNode, message: string): MessageTree {
  return new Map(
    selectionSet.selections.map((selection) => {
      if (selection.kind !== Kind.FIELD || selection.alias !== undefined) throw notAMessage(message);
      const below = selection.selectionSet;
      return [selection.name.value, below === undefined ? undefined : toTree(below, message)];
    }),
  );
}

function notAMessage(message: string): HubError {
  return new HubError('INTERNAL_SERVER_ERROR', `expected a selection set of plain fields, got ${message}`);
}

function pickObject(tree: MessageTree, value: object): Record<string, unknown> {
  const picked: Record<string, unknown> = Object.create(null);
  for (const [name, below] of tree) {
    const field: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : null;
    picked[name] = below === undefined ? (field ?? null) : pickValue(below, field);
  }
  return picked;
}

function pickValue(tree: MessageTree, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => pickValue(tree, item));
  return typeof value === 'object' && value !== null ? pickObject(tree, value) : null;
}
