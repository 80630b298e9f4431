// Decodes what `@eventStream(snapshot:)` says: a field of Query, with arguments that come from those of the live field.
import { type FieldNode, Kind, parse, visit } from 'graphql';

export interface SnapshotField {
  /** Its variables are arguments of the live field. */
  readonly node: FieldNode;
  /** Names of the live field's arguments that it takes. */
  readonly usedArguments: ReadonlySet<string>;
}

const ARGUMENT = /\$args\.([_A-Za-z]\w*)/g;

/** @throws Error that says what was expected: `incidents(division: $args.division)` is a field of Query */
export function parseSnapshotField(text: string): SnapshotField {
  const [definition] = parse(`{ ${text.replace(ARGUMENT, '$$$1')} }`, { noLocation: true }).definitions;
  const selections = definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [];
  const [node, second] = selections;
  if (node?.kind !== Kind.FIELD || second !== undefined) throw notAField(text);
  if (node.selectionSet !== undefined || node.alias !== undefined || (node.directives ?? []).length > 0)
    throw notAField(text);
  const usedArguments = new Set<string>();
  visit(node, { Variable: ({ name }) => void usedArguments.add(name.value) });
  return { node, usedArguments };
}

function notAField(text: string): SyntaxError {
  return new SyntaxError(
    `expected one field of Query such as incidents(division: $args.division), got ${text}`,
  );
}
