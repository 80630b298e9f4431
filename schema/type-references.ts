// What a definition names: the questions that splitting and completing an SDL document ask of its syntax tree.
import {
  type DefinitionNode,
  type DocumentNode,
  isTypeDefinitionNode,
  isTypeExtensionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  specifiedScalarTypes,
  type TypeNode,
  visit,
} from 'graphql';

const BUILT_IN: ReadonlySet<string> = new Set(specifiedScalarTypes.map((type) => type.name));

export type ObjectNode = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

export function isObjectNode(node: DefinitionNode): node is ObjectNode {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION;
}

/** The name that a type definition or extension has; undefined for schema and directive definitions. */
export function typeNameOf(node: DefinitionNode): string | undefined {
  return isTypeDefinitionNode(node) || isTypeExtensionNode(node) ? node.name.value : undefined;
}

/** Every type named in the definition, built-in scalars aside. */
export function referencedTypes(node: DefinitionNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(node, {
    NamedType(type) {
      if (!BUILT_IN.has(type.name.value)) names.add(type.name.value);
    },
  });
  return names;
}

/** `[T!]!` to `T`. */
export function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type);
}

/** The definitions and extensions of a document by the name of their type. */
export function definitionsByType(document: DocumentNode): ReadonlyMap<string, readonly DefinitionNode[]> {
  return Map.groupBy(
    document.definitions.filter((node) => typeNameOf(node) !== undefined),
    (node) => typeNameOf(node) as string,
  );
}
