// Makes a subscription's document resumable: `cursor`, `gap` and `after` are there, whatever the caller wrote.
import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { WeftError } from './ending.ts';

export interface ResumableDocument {
  readonly query: string;
  readonly operationName: string | undefined;
  /** Under which the live field's value stands in `data`. */
  readonly responseName: string;
  /** Under which cursor and gap stand in that. */
  readonly cursorName: string;
  readonly gapName: string;
  /** The variable that says where to go on. */
  readonly afterName: string;
  /** What the caller's own document says for it. */
  readonly after: unknown;
}

/**
 * @param field the live field's name in the schema; default: the one that stands in the operation's selection set
 * @throws WeftError DOCUMENT when it is no GraphQL, has no such subscription, or several
 */
export function makeResumable(query: string, field?: string): ResumableDocument {
  const document = parseDocument(query);
  const operation = subscriptionOf(document);
  const root = rootFieldOf(document, operation, field);
  const selections = root.selectionSet?.selections ?? [];
  const cursor = selectionOf(selections, 'cursor', 'weftCursor', 'cursor');
  const gap = selectionOf(selections, 'gap', 'weftGap', 'gap { from to reason }');
  const given = root.arguments?.find(({ name }) => name.value === 'after')?.value;
  const isVariable = given?.kind === Kind.VARIABLE;
  const afterName = isVariable ? given.name.value : freeName(document, 'after', 'weftAfter');
  const changed = visit(document, {
    Field: (node) =>
      node === root ? withSelections(withAfter(node, afterName), [cursor.node, gap.node]) : undefined,
    OperationDefinition: {
      leave: (node) =>
        node.operation === 'subscription' && !isVariable ? withVariable(node, afterName) : undefined,
    },
  });
  return {
    query: print(changed),
    operationName: operation.name?.value,
    responseName: root.alias?.value ?? root.name.value,
    cursorName: cursor.name,
    gapName: gap.name,
    afterName,
    after: given === undefined || isVariable ? undefined : valueFromASTUntyped(given as ValueNode),
  };
}

function parseDocument(query: string): DocumentNode {
  try {
    return parse(query, { noLocation: true });
  } catch (thrown) {
    throw new WeftError('DOCUMENT', `the document is not GraphQL: ${(thrown as Error).message}`, [], thrown);
  }
}

function subscriptionOf(document: DocumentNode): OperationDefinitionNode {
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const [first] = operations;
  if (operations.length !== 1 || first?.operation !== 'subscription')
    throw new WeftError('DOCUMENT', 'expected a document with one operation, a subscription');
  return first;
}

/** GraphQL 2025-09, 5.2.4.1: a subscription has one root field, which may stand in a fragment. */
function rootFieldOf(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  name: string | undefined,
): FieldNode {
  const found: FieldNode[] = [];
  const seen = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) found.push(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        for (const one of document.definitions)
          if (one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === selection.name.value)
            collect(one.selectionSet);
      }
    }
  };
  collect(operation.selectionSet);
  const fields = found.filter((one) => name === undefined || one.name.value === name);
  const [first] = fields;
  if (first === undefined || fields.length > 1)
    throw new WeftError(
      'DOCUMENT',
      `expected one field${name === undefined ? '' : ` ${name}`} in the subscription, got ${fields.length}`,
    );
  return first;
}

/** Fields of one name and equal arguments merge, so the caller's own selection may stand beside it; another field under that name may not. */
function selectionOf(
  selections: readonly SelectionNode[],
  name: string,
  otherName: string,
  text: string,
): { readonly name: string; readonly node: FieldNode } {
  const isTaken = selections.some(
    (one) => one.kind !== Kind.FIELD || (one.alias?.value ?? one.name.value) === name,
  );
  const isItself = selections.some(
    (one) => one.kind === Kind.FIELD && one.alias === undefined && one.name.value === name,
  );
  const free = isTaken && !isItself ? otherName : name;
  const parsed = parse(`{ ${free === name ? '' : `${free}: `}${text} }`, { noLocation: true });
  const [node] = (parsed.definitions[0] as OperationDefinitionNode).selectionSet.selections;
  return { name: free, node: node as FieldNode };
}

function withSelections(field: FieldNode, added: readonly FieldNode[]): FieldNode {
  const selections = [...(field.selectionSet?.selections ?? []), ...added];
  return { ...field, selectionSet: { kind: Kind.SELECTION_SET, selections } };
}

function withAfter(field: FieldNode, variable: string): FieldNode {
  const others = (field.arguments ?? []).filter(({ name }) => name.value !== 'after');
  const after: ArgumentNode = {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: 'after' },
    value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: variable } },
  };
  return { ...field, arguments: [...others, after] };
}

function withVariable(operation: OperationDefinitionNode, variable: string): OperationDefinitionNode {
  const { definitions } = parse(`subscription ($${variable}: Cursor) { any }`, { noLocation: true });
  const [definition] = (definitions[0] as OperationDefinitionNode).variableDefinitions ?? [];
  return {
    ...operation,
    variableDefinitions: [...(operation.variableDefinitions ?? []), ...(definition ? [definition] : [])],
  };
}

function freeName(document: DocumentNode, name: string, otherName: string): string {
  let isTaken = false;
  visit(document, {
    Variable: (node) => {
      isTaken ||= node.name.value === name;
    },
  });
  return isTaken ? otherName : name;
}
