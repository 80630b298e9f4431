// An operation without what one client wrote differently from another: one text, and one hash, for all that ask the same.
import { createHash } from 'node:crypto';
import {
  type ArgumentNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type ObjectFieldNode,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { fragmentsOf, reachableFragments } from './reachable-fragments.ts';

export interface NormalisedOperation {
  /** Printed GraphQL, valid wherever the operation was. */
  readonly document: string;
  /** SHA-256 of `document` in UTF-8, 64 hex digits. */
  readonly hash: string;
}

/**
 * Literals are taken out (`0`, `""`), since they may be personal information; names, enum values, booleans and nulls stay,
 * and so does the shape of objects. Of a list one of each normalised item stays. Selections, arguments, fields of objects,
 * variables and fragments are in order, what stands twice stands once, fragments that are not spread are left out.
 * Aliases and names of fragments and variables are the client's own. Pure; docs/schema-checks.md says it for people.
 * @param document a valid one, with the operation in it
 */
export function normaliseOperation(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): NormalisedOperation {
  const fragments = reachableFragments(operation, fragmentsOf(document));
  const definitions: DefinitionNode[] = [
    normaliseDefinition(operation),
    ...[...fragments].sort((a, b) => inOrder(a.name.value, b.name.value)).map(normaliseFragment),
  ];
  const text = print({ kind: Kind.DOCUMENT, definitions });
  return { document: text, hash: createHash('sha256').update(text).digest('hex') };
}

function normaliseDefinition(operation: OperationDefinitionNode): OperationDefinitionNode {
  const variables = (operation.variableDefinitions ?? []).map((node) => ({
    ...node,
    directives: normaliseDirectives(node.directives),
    ...(node.defaultValue === undefined ? {} : { defaultValue: normaliseValue(node.defaultValue) }),
  }));
  return {
    ...operation,
    variableDefinitions: variables.sort((a, b) => inOrder(a.variable.name.value, b.variable.name.value)),
    directives: normaliseDirectives(operation.directives),
    selectionSet: normaliseSelections(operation.selectionSet),
  } as OperationDefinitionNode;
}

function normaliseFragment(fragment: FragmentDefinitionNode): FragmentDefinitionNode {
  return {
    ...fragment,
    directives: normaliseDirectives(fragment.directives),
    selectionSet: normaliseSelections(fragment.selectionSet),
  };
}

interface Keyed {
  readonly node: SelectionNode;
  readonly key: string;
  /** Printed when two have one key, and no sooner: most never do. */
  text?: string;
}

function normaliseSelections(set: SelectionSetNode): SelectionSetNode {
  const keyed: Keyed[] = set.selections.map((selection) => {
    const node = normaliseSelection(selection);
    return { node, key: keyOf(node) };
  });
  const textOf = (one: Keyed): string => {
    one.text ??= print(one.node);
    return one.text;
  };
  keyed.sort((a, b) => inOrder(a.key, b.key) || inOrder(textOf(a), textOf(b)));
  const selections = keyed
    .filter((one, at) => {
      const before = keyed[at - 1];
      return before === undefined || before.key !== one.key || textOf(before) !== textOf(one);
    })
    .map(({ node }) => node);
  return { kind: Kind.SELECTION_SET, selections };
}

/** Fields first, then spreads, then inline fragments, each by name. */
function keyOf(node: SelectionNode): string {
  switch (node.kind) {
    case Kind.FIELD:
      return `0${(node.alias ?? node.name).value}`;
    case Kind.FRAGMENT_SPREAD:
      return `1${node.name.value}`;
    case Kind.INLINE_FRAGMENT:
      return `2${node.typeCondition?.name.value ?? ''}`;
    default:
      return node satisfies never;
  }
}

function normaliseSelection(node: SelectionNode): SelectionNode {
  const directives = normaliseDirectives(node.directives);
  switch (node.kind) {
    case Kind.FIELD:
      return {
        ...node,
        directives,
        arguments: normaliseArguments(node.arguments),
        ...(node.selectionSet === undefined ? {} : { selectionSet: normaliseSelections(node.selectionSet) }),
      };
    case Kind.FRAGMENT_SPREAD:
      return { ...node, directives };
    case Kind.INLINE_FRAGMENT:
      return { ...node, directives, selectionSet: normaliseSelections(node.selectionSet) };
    default:
      return node satisfies never;
  }
}

function normaliseDirectives<Node extends DirectiveNode>(
  nodes: readonly Node[] | undefined,
): readonly Node[] {
  return (nodes ?? [])
    .map((node) => ({ ...node, arguments: normaliseArguments(node.arguments) }))
    .sort((a, b) => inOrder(a.name.value, b.name.value));
}

function normaliseArguments<Node extends ArgumentNode | ObjectFieldNode>(
  nodes: readonly Node[] | undefined,
): readonly Node[] {
  return (nodes ?? [])
    .map((node) => ({ ...node, value: normaliseValue(node.value) }))
    .sort((a, b) => inOrder(a.name.value, b.name.value));
}

function normaliseValue<Node extends ValueNode>(value: Node): ValueNode {
  switch (value.kind) {
    case Kind.INT:
    case Kind.FLOAT:
      return { kind: Kind.INT, value: '0' };
    case Kind.STRING:
      return { kind: Kind.STRING, value: '' };
    case Kind.LIST: {
      const items = new Map(
        value.values.map((item) => {
          const node = normaliseValue(item);
          return [print(node), node] as const;
        }),
      );
      const values = [...items].sort(([a], [b]) => inOrder(a, b)).map(([, node]) => node);
      return { kind: Kind.LIST, values };
    }
    case Kind.OBJECT:
      return { kind: Kind.OBJECT, fields: normaliseArguments(value.fields) };
    case Kind.VARIABLE:
    case Kind.BOOLEAN:
    case Kind.NULL:
    case Kind.ENUM:
      return value;
    default:
      return value satisfies never;
  }
}

/** By code units, so that the order is that of no machine's language. */
function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
