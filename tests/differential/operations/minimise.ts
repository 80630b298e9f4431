// Makes a case smaller: drops what can be dropped of an operation while the disagreement stays.
import {
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  validate,
  visit,
} from 'graphql';

const TRIES_MAX = 400;

/** @param stillDisagrees is asked with valid documents only */
export async function minimise(
  schema: GraphQLSchema,
  query: string,
  stillDisagrees: (query: string) => Promise<boolean>,
): Promise<string> {
  let document = parse(query, { noLocation: true });
  let tries = 0;
  for (let hasShrunk = true; hasShrunk; ) {
    hasShrunk = false;
    for (let at = 0; tries < TRIES_MAX; at += 1) {
      const smaller = shrinkAt(document, at);
      if (smaller === undefined) break;
      const candidate = prune(smaller);
      if (!hasSelections(candidate) || print(candidate) === print(document)) continue;
      if (validate(schema, candidate).length > 0) continue;
      tries += 1;
      if (!(await stillDisagrees(print(candidate)))) continue;
      document = candidate;
      hasShrunk = true;
      at -= 1;
    }
  }
  return print(document);
}

/** The document less its `at`-th part: a selection, a directive, an alias; a spread is replaced by what it spreads. */
function shrinkAt(document: DocumentNode, at: number): DocumentNode | undefined {
  let count = -1;
  let isDone = false;
  const isNext = () => {
    count += 1;
    isDone ||= count === at;
    return count === at;
  };
  const shrink = (node: SelectionNode): SelectionNode | null | readonly SelectionNode[] => {
    if (isNext()) return null;
    if ((node.directives?.length ?? 0) > 0 && isNext()) return { ...node, directives: [] };
    if (node.kind === Kind.FIELD && node.alias !== undefined && isNext()) return withoutAlias(node);
    if (node.kind === Kind.FRAGMENT_SPREAD && isNext()) return inlined(document, node.name.value);
    if (node.kind === Kind.INLINE_FRAGMENT && isNext()) return node.selectionSet.selections;
    return node;
  };
  const result = visit(document, {
    SelectionSet(node: SelectionSetNode) {
      const selections = node.selections.flatMap((selection) => shrink(selection) ?? []);
      return { ...node, selections };
    },
  });
  return isDone ? withoutEmpty(result) : undefined;
}

function withoutAlias({ alias: _alias, ...field }: FieldNode): FieldNode {
  return field;
}

function inlined(document: DocumentNode, name: string): SelectionNode | null {
  const fragment = document.definitions.find(
    (node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === name,
  );
  if (fragment?.kind !== Kind.FRAGMENT_DEFINITION) return null;
  const { typeCondition, selectionSet } = fragment;
  return { kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet };
}

function withoutEmpty(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field: { leave: (node) => (node.selectionSet?.selections.length === 0 ? null : undefined) },
    InlineFragment: { leave: (node) => (node.selectionSet.selections.length === 0 ? null : undefined) },
  });
}

function hasSelections(document: DocumentNode): boolean {
  return document.definitions.every(
    (node) => !('selectionSet' in node) || node.selectionSet.selections.length > 0,
  );
}

/** Leaves out fragments and variables that nothing uses. */
function prune(document: DocumentNode): DocumentNode {
  const spread = new Set<string>();
  const used = new Set<string>();
  visit(document, {
    FragmentSpread: (node) => void spread.add(node.name.value),
    VariableDefinition: () => false,
    Variable: (node) => void used.add(node.name.value),
  });
  const definitions = document.definitions
    .filter((node) => node.kind !== Kind.FRAGMENT_DEFINITION || spread.has(node.name.value))
    .map((node): DefinitionNode => {
      if (node.kind !== Kind.OPERATION_DEFINITION) return node;
      const variables = node.variableDefinitions?.filter(({ variable }) => used.has(variable.name.value));
      return { ...node, variableDefinitions: variables ?? [] };
    });
  return { ...document, definitions };
}
