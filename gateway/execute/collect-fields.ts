// Which fields a selection asks of an object type, conditions and fragments resolved (GraphQL 2025-09, 6.3.2 CollectFields).
import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** An interface stands for its objects where no more is known of them. */
type ObjectOrInterface = GraphQLObjectType | GraphQLInterfaceType;

export type Variables = Readonly<Record<string, unknown>>;

/** Response name to the nodes that ask for it; their selection sets are merged. */
export type CollectedFields = ReadonlyMap<string, readonly FieldNode[]>;

export interface FieldCollector {
  /** What an operation's or a fragment's selection set asks of the type. */
  ofSelectionSet(type: ObjectOrInterface, selectionSet: SelectionSetNode): CollectedFields;
  /** What the selection sets of nodes that share a response name ask of the type. */
  ofNodes(type: ObjectOrInterface, nodes: readonly FieldNode[]): CollectedFields;
  /** Whether what the nodes ask of an object of the interface hangs on which of its types it is. */
  dependsOnType(type: GraphQLInterfaceType, nodes: readonly FieldNode[]): boolean;
}

/** For one request: conditions depend on its variables. Results are kept, since lists ask the same of each element. */
export function createFieldCollector(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Variables,
): FieldCollector {
  const kept = new Map<readonly FieldNode[], Map<ObjectOrInterface, CollectedFields>>();

  function collect(type: ObjectOrInterface, selectionSets: readonly SelectionSetNode[]): CollectedFields {
    const fields = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    for (const selectionSet of selectionSets) walk(type, selectionSet, fields, spread);
    return fields;
  }

  function walk(
    type: ObjectOrInterface,
    selectionSet: SelectionSetNode,
    fields: Map<string, FieldNode[]>,
    spread: Set<string>,
  ): void {
    for (const node of selectionSet.selections) {
      if (!isIncluded(node, variables)) continue;
      if (node.kind === Kind.FIELD) {
        const responseName = (node.alias ?? node.name).value;
        const nodes = fields.get(responseName);
        if (nodes === undefined) fields.set(responseName, [node]);
        else nodes.push(node);
        continue;
      }
      const body = node.kind === Kind.INLINE_FRAGMENT ? node : takeFragment(node.name.value, spread);
      if (body === undefined) continue;
      if (applies(schema, type, body.typeCondition?.name.value))
        walk(type, body.selectionSet, fields, spread);
    }
  }

  function takeFragment(name: string, spread: Set<string>): FragmentDefinitionNode | undefined {
    if (spread.has(name)) return undefined;
    spread.add(name);
    return fragments.get(name);
  }

  function isTyped(type: GraphQLInterfaceType, selectionSet: SelectionSetNode, spread: Set<string>): boolean {
    return selectionSet.selections.some((node) => {
      if (node.kind === Kind.FIELD || !isIncluded(node, variables)) return false;
      const body = node.kind === Kind.INLINE_FRAGMENT ? node : takeFragment(node.name.value, spread);
      if (body === undefined) return false;
      if (!applies(schema, type, body.typeCondition?.name.value)) return true;
      return isTyped(type, body.selectionSet, spread);
    });
  }

  return {
    dependsOnType(type, nodes) {
      const spread = new Set<string>();
      return nodes.some(
        (node) => node.selectionSet !== undefined && isTyped(type, node.selectionSet, spread),
      );
    },
    ofSelectionSet: (type, selectionSet) => collect(type, [selectionSet]),
    ofNodes(type, nodes) {
      const byType = kept.getOrInsertComputed(nodes, () => new Map());
      return byType.getOrInsertComputed(type, () =>
        collect(
          type,
          nodes.flatMap((node) => node.selectionSet ?? []),
        ),
      );
    },
  };
}

function applies(schema: GraphQLSchema, type: ObjectOrInterface, condition: string | undefined): boolean {
  if (condition === undefined || condition === type.name) return true;
  const conditionType = schema.getType(condition);
  return isAbstractType(conditionType) && schema.isSubType(conditionType, type);
}

/** `@skip` and `@include` with the request's variables, which are coerced and hold defaults. */
export function isIncluded(node: SelectionNode, variables: Variables): boolean {
  for (const directive of node.directives ?? []) {
    if (directive.name.value === 'skip' && conditionOf(directive, variables)) return false;
    if (directive.name.value === 'include' && !conditionOf(directive, variables)) return false;
  }
  return true;
}

function conditionOf(directive: DirectiveNode, variables: Variables): boolean {
  const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
  if (value?.kind === Kind.VARIABLE) return variables[value.name.value] === true;
  return value?.kind === Kind.BOOLEAN && value.value;
}
