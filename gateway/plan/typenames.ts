// Asks for `__typename` wherever a fetch selects on an interface or a union: without it nobody knows what came.
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** @param schema the supergraph's whole schema; what it does not know, such as `_entities`, is left as it is */
export function withTypenames(schema: GraphQLSchema, document: DocumentNode): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.map((node) => {
      if (node.kind === Kind.OPERATION_DEFINITION) {
        const root = schema.getRootType(node.operation)?.name;
        return { ...node, selectionSet: complete(schema, node.selectionSet, root) };
      }
      if (node.kind !== Kind.FRAGMENT_DEFINITION) return node;
      return { ...node, selectionSet: complete(schema, node.selectionSet, node.typeCondition.name.value) };
    }),
  };
}

/** The type of a field's value without lists and non-null, when the schema knows the field. */
export function fieldType(schema: GraphQLSchema, parent: string | undefined, field: string) {
  const type = parent === undefined ? undefined : schema.getType(parent);
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[field]?.type : undefined;
}

function complete(
  schema: GraphQLSchema,
  selectionSet: SelectionSetNode,
  parent: string | undefined,
): SelectionSetNode {
  return {
    ...selectionSet,
    selections: selectionSet.selections.map((node): SelectionNode => {
      if (node.kind === Kind.FRAGMENT_SPREAD || node.selectionSet === undefined) return node;
      if (node.kind === Kind.INLINE_FRAGMENT) {
        const type = node.typeCondition?.name.value ?? parent;
        return { ...node, selectionSet: complete(schema, node.selectionSet, type) };
      }
      const declared = fieldType(schema, parent, node.name.value);
      const type = declared === undefined ? undefined : getNamedType(declared);
      const completed = complete(schema, node.selectionSet, type?.name);
      return {
        ...node,
        selectionSet: isAbstractType(type) ? withTypename(completed) : completed,
      };
    }),
  };
}

function withTypename(selectionSet: SelectionSetNode): SelectionSetNode {
  const has = selectionSet.selections.some(
    (node) => node.kind === Kind.FIELD && node.name.value === '__typename' && node.alias === undefined,
  );
  return has ? selectionSet : { ...selectionSet, selections: [TYPENAME, ...selectionSet.selections] };
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
