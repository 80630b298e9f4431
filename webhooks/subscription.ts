// The subscription of a webhook: one live field that can be gone on with from a cursor.
import {
  type DocumentNode,
  type FieldNode,
  Kind,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

export interface WebhookSubscription {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The response key of the live field. */
  readonly field: string;
  /** The name of the live field. */
  readonly fieldName: string;
}

/** The variable that a webhook resumes by. */
const AFTER = 'after';
const CURSOR = 'cursor';

/** @returns what is wrong with the document, or what is read from it */
export function readSubscription(
  query: string,
  variables: Readonly<Record<string, unknown>>,
): WebhookSubscription | string {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const [operation] = operations;
  if (operations.length !== 1 || operation?.kind !== Kind.OPERATION_DEFINITION)
    return 'expected one operation';
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return 'expected a subscription';
  if (AFTER in variables) return `variables: $${AFTER} is given by the webhook's own position`;
  const [root] = operation.selectionSet.selections;
  if (root?.kind !== Kind.FIELD || operation.selectionSet.selections.length !== 1)
    return 'expected one live field, not in a fragment';
  if (!takesAfter(root)) return `expected the live field to have the argument ${AFTER}: $${AFTER}`;
  if (!selectsCursor(root.selectionSet))
    return `expected the live field to select ${CURSOR}, not in a fragment and without an alias`;
  return { query, variables, field: root.alias?.value ?? root.name.value, fieldName: root.name.value };
}

function takesAfter({ arguments: given = [] }: FieldNode): boolean {
  return given.some(
    ({ name, value }) => name.value === AFTER && value.kind === Kind.VARIABLE && value.name.value === AFTER,
  );
}

function selectsCursor(set: SelectionSetNode | undefined): boolean {
  return (
    set?.selections.some(
      (selection) =>
        selection.kind === Kind.FIELD && selection.name.value === CURSOR && selection.alias === undefined,
    ) ?? false
  );
}
