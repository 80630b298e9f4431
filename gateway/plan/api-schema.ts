// The two schemas that a supergraph's text holds: the one that clients see, and the whole one that merging needs.
import { OperatorError } from '@weft/core/errors';
import {
  buildASTSchema,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  specifiedDirectives,
  validateSchema,
} from 'graphql';
import { directivesNamed, type Feature, readFeatures } from './supergraph-features.ts';

export interface SupergraphSchemas {
  /** Without what is `@inaccessible` and without the types and directives of linked specifications. */
  readonly apiSchema: GraphQLSchema;
  /** With all of it. */
  readonly fullSchema: GraphQLSchema;
}

/** @throws OperatorError when the text is GraphQL but no schema */
export function buildSchemas(document: DocumentNode): SupergraphSchemas {
  try {
    const fullSchema = buildASTSchema(document, { assumeValidSDL: true, assumeValid: true });
    const apiSchema = buildASTSchema(removeHidden(document), { assumeValidSDL: true });
    const [error] = validateSchema(apiSchema);
    if (error !== undefined) throw error;
    return { apiSchema, fullSchema };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new OperatorError(`the supergraph cannot be used: ${reason}`, { exitCode: 2, cause: thrown });
  }
}

function removeHidden(document: DocumentNode): DocumentNode {
  const features = readFeatures(document);
  const inaccessible = directivesNamed(features, 'inaccessible');
  const hidden: Hidden = {
    isHidden: (directives) => directives?.some(({ name }) => inaccessible.has(name.value)) ?? false,
    types: new Set(),
    isOfFeature: (name, isDirective) => belongsToFeature(features, name, isDirective),
  };
  for (const node of document.definitions) {
    if ('name' in node && node.name !== undefined && 'directives' in node) {
      const isGone = hidden.isHidden(node.directives) || hidden.isOfFeature(node.name.value, false);
      if (isGone && node.kind !== Kind.DIRECTIVE_DEFINITION) hidden.types.add(node.name.value);
    }
  }
  return {
    ...document,
    definitions: document.definitions.flatMap((node) => visibleDefinition(hidden, node)),
  };
}

interface Hidden {
  isHidden(directives: readonly DirectiveNode[] | undefined): boolean;
  /** Names of types that clients do not see. */
  readonly types: Set<string>;
  isOfFeature(name: string, isDirective: boolean): boolean;
}

/** `join__Graph`, `@join__type`, `@link` itself, and whatever a link imports by name. */
function belongsToFeature(features: readonly Feature[], name: string, isDirective: boolean): boolean {
  return features.some(({ alias, imports }) => {
    if (name.startsWith(`${alias}__`) || (isDirective && name === alias)) return true;
    const local = isDirective ? `@${name}` : name;
    return [...imports.values()].includes(local);
  });
}

function visibleDefinition(hidden: Hidden, node: DefinitionNode): readonly DefinitionNode[] {
  switch (node.kind) {
    case Kind.SCHEMA_DEFINITION:
      return [{ ...node, directives: [] }];
    case Kind.DIRECTIVE_DEFINITION: {
      const isGone = hidden.isOfFeature(node.name.value, true) && !isSpecified(node.name.value);
      return isGone ? [] : [{ ...node, arguments: visible(hidden, node.arguments) }];
    }
    case Kind.SCALAR_TYPE_DEFINITION:
      return hidden.types.has(node.name.value) ? [] : [{ ...node, directives: kept(node.directives) }];
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      if (hidden.types.has(node.name.value)) return [];
      const interfaces = node.interfaces?.filter(({ name }) => !hidden.types.has(name.value)) ?? [];
      const fields = visible(hidden, node.fields).map((field) => ({
        ...field,
        arguments: visible(hidden, field.arguments),
      }));
      return [{ ...node, interfaces, fields, directives: [] }];
    }
    case Kind.UNION_TYPE_DEFINITION:
      if (hidden.types.has(node.name.value)) return [];
      return [
        {
          ...node,
          directives: [],
          types: node.types?.filter(({ name }) => !hidden.types.has(name.value)) ?? [],
        },
      ];
    case Kind.ENUM_TYPE_DEFINITION:
      if (hidden.types.has(node.name.value)) return [];
      return [{ ...node, directives: [], values: visible(hidden, node.values) }];
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      if (hidden.types.has(node.name.value)) return [];
      return [{ ...node, directives: kept(node.directives), fields: visible(hidden, node.fields) }];
    default:
      return [node];
  }
}

function isSpecified(name: string): boolean {
  return specifiedDirectives.some((directive) => directive.name === name);
}

const KEPT: ReadonlySet<string> = new Set(['deprecated', 'specifiedBy', 'oneOf']);

function kept(directives: readonly ConstDirectiveNode[] | undefined): readonly ConstDirectiveNode[] {
  return directives?.filter(({ name }) => KEPT.has(name.value)) ?? [];
}

function visible<Node extends { readonly directives?: readonly ConstDirectiveNode[] | undefined }>(
  hidden: Hidden,
  nodes: readonly Node[] | undefined,
): readonly Node[] {
  return (nodes ?? [])
    .filter((node) => !hidden.isHidden(node.directives))
    .map((node) => ({ ...node, directives: kept(node.directives) }));
}
