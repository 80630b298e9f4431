// By which keys a subgraph knows an entity, as the supergraph says (https://specs.apollo.dev/join/v0.3, join__type).
import {
  type ConstDirectiveNode,
  type GraphQLSchema,
  isEnumType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';

/** The selections of a type's keys in a subgraph; empty when it has none there or the schema does not say. */
export function keysOf(schema: GraphQLSchema, system: string, typeName: string): readonly SelectionSetNode[] {
  const graph = graphNameOf(schema, system);
  const directives: readonly ConstDirectiveNode[] = schema.getType(typeName)?.astNode?.directives ?? [];
  return directives.flatMap((directive) => {
    if (directive.name.value !== 'join__type' || textArgumentOf(directive, 'graph') !== graph) return [];
    const key = textArgumentOf(directive, 'key');
    return key === undefined ? [] : selectionOf(key);
  });
}

/** Whether the subgraph has a type of this name; true when the schema does not say. */
export function isKnownTo(schema: GraphQLSchema, system: string, typeName: string): boolean {
  const graph = graphNameOf(schema, system);
  const directives: readonly ConstDirectiveNode[] = schema.getType(typeName)?.astNode?.directives ?? [];
  const types = directives.filter((directive) => directive.name.value === 'join__type');
  if (graph === undefined || types.length === 0) return true;
  return types.some((directive) => textArgumentOf(directive, 'graph') === graph);
}

/** The name that `join__Graph` has for the subgraph. */
export function graphNameOf(schema: GraphQLSchema, system: string): string | undefined {
  const graphs = schema.getType('join__Graph');
  if (!isEnumType(graphs)) return undefined;
  return graphs
    .getValues()
    .find(({ astNode }) =>
      astNode?.directives?.some(
        (directive) => directive.name.value === 'join__graph' && textArgumentOf(directive, 'name') === system,
      ),
    )?.name;
}

/** A text or an enum value. */
export function textArgumentOf(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}

function selectionOf(key: string): readonly SelectionSetNode[] {
  const [definition] = parse(`{ ${key} }`, { noLocation: true }).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION ? [definition.selectionSet] : [];
}
