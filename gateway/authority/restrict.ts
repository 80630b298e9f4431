// Takes out of an operation what its asker may not have, so that no system is asked for it.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Access } from './authority.ts';

interface Restriction {
  readonly schema: GraphQLSchema;
  readonly access: Access;
  /** Coordinates that were taken out. */
  readonly forbidden: Set<string>;
}

export interface RestrictedOperation {
  readonly selectionSet: SelectionSetNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Coordinates that were taken out, as clients know them. */
  readonly forbidden: readonly string[];
}

/**
 * The operation without fields that are forbidden wherever they are met; a field of an interface that some of its
 * types forbid is asked of the others. Selection sets may be left empty.
 * @param schema what clients see
 */
export function restrictOperation(
  schema: GraphQLSchema,
  access: Access,
  rootType: GraphQLObjectType,
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): RestrictedOperation {
  const restriction: Restriction = { schema, access, forbidden: new Set() };
  const restricted = new Map<string, FragmentDefinitionNode>();
  for (const [name, fragment] of fragments) {
    const type = schema.getType(fragment.typeCondition.name.value);
    restricted.set(name, { ...fragment, selectionSet: restrict(restriction, type, fragment.selectionSet) });
  }
  return {
    selectionSet: restrict(restriction, rootType, selectionSet),
    fragments: restricted,
    forbidden: [...restriction.forbidden],
  };
}

function restrict(restriction: Restriction, type: unknown, selectionSet: SelectionSetNode): SelectionSetNode {
  if (!isCompositeType(type)) return selectionSet;
  const selections = selectionSet.selections.flatMap((node): readonly SelectionNode[] => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return [node];
    if (node.kind === Kind.FIELD) return restrictField(restriction, type, node);
    const condition = node.typeCondition?.name.value;
    const narrowed = condition === undefined ? type : restriction.schema.getType(condition);
    return [{ ...node, selectionSet: restrict(restriction, narrowed, node.selectionSet) }];
  });
  return { ...selectionSet, selections };
}

function restrictField(
  restriction: Restriction,
  type: GraphQLCompositeType,
  node: FieldNode,
): readonly SelectionNode[] {
  const { schema, access, forbidden } = restriction;
  if (node.name.value.startsWith('__')) return [node];
  if (!isAbstractType(type)) {
    if (!access.isFieldForbidden(type.name, node)) return [below(restriction, type, node)];
    forbidden.add(`${type.name}.${node.name.value}`);
    return [];
  }
  const possible = schema.getPossibleTypes(type);
  const allowed = possible.filter(({ name }) => !access.isFieldForbidden(name, node));
  if (allowed.length === possible.length) return [below(restriction, type, node)];
  forbidden.add(`${type.name}.${node.name.value}`);
  return allowed.map((one) => ({
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: one.name } },
    directives: [],
    selectionSet: { kind: Kind.SELECTION_SET, selections: [below(restriction, one, node)] },
  }));
}

/** The field with what it selects restricted. */
function below(restriction: Restriction, type: GraphQLCompositeType, node: FieldNode): FieldNode {
  if (node.selectionSet === undefined || (!isObjectType(type) && !isInterfaceType(type))) return node;
  const field = type.getFields()[node.name.value];
  if (field === undefined) return node;
  return { ...node, selectionSet: restrict(restriction, getNamedType(field.type), node.selectionSet) };
}
