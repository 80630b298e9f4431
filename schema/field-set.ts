// Field sets as SDL carries them in strings: parsed, and written so that equal ones are equal text.
import { GraphQLError, Kind, parse, print, type SelectionSetNode } from 'graphql';

/** The canonical form of a `@key`'s text; empty when it does not parse. */
export function canonicalKey(fields: string): string {
  const selection = parseFieldSet(`{ ${fields} }`, () => undefined);
  return selection === undefined ? '' : canonicalFieldSet(selection);
}

/** `{ a b { c } }` with names in order, so that two ways to write one key are equal. */
export function canonicalFieldSet(selection: SelectionSetNode): string {
  const parts = selection.selections.map((node) => {
    if (node.kind !== Kind.FIELD) return print(node);
    return node.selectionSet === undefined
      ? node.name.value
      : `${node.name.value} ${canonicalFieldSet(node.selectionSet)}`;
  });
  return `{ ${parts.sort().join(' ')} }`;
}

/** The selection set that `text` is, braces included; undefined after `report` has been told why not. */
export function parseFieldSet(text: string, report: (message: string) => void): SelectionSetNode | undefined {
  try {
    const [node] = parse(text, { noLocation: true }).definitions;
    if (node?.kind === Kind.OPERATION_DEFINITION) return node.selectionSet;
    report(`expected a selection set, got ${text}`);
  } catch (thrown) {
    report(thrown instanceof GraphQLError ? thrown.message : String(thrown));
  }
  return undefined;
}
