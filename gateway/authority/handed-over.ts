// Which other fields a system is handed when it answers a field (`@requires`, `@fromContext`): who sees the one may learn the others.
import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';

/** Names of a type and of a field of it. */
export type Coordinate = readonly [typeName: string, fieldName: string];

export type HandedOver = (
  type: GraphQLObjectType | GraphQLInterfaceType,
  field: GraphQLField<unknown, unknown>,
) => readonly Coordinate[];

/**
 * @param schema the supergraph's whole schema, with its syntax tree (https://specs.apollo.dev/join/v0.5, join__field)
 * @param contextDirectives names that `@context` has in it
 */
export function createHandedOver(schema: GraphQLSchema, contextDirectives: ReadonlySet<string>): HandedOver {
  const contexts = readContexts(schema, contextDirectives);
  return (type, field) =>
    (field.astNode?.directives ?? []).flatMap((directive) => {
      if (directive.name.value !== 'join__field') return [];
      const requires = textOf(argumentOf(directive, 'requires'));
      const required = requires === undefined ? [] : selected(schema, type, selectionOf(`{ ${requires} }`));
      return [...required, ...fromContexts(schema, contexts, argumentOf(directive, 'contextArguments'))];
    });
}

/** By a context's name: the types that set it. */
function readContexts(
  schema: GraphQLSchema,
  contextDirectives: ReadonlySet<string>,
): ReadonlyMap<string, readonly GraphQLNamedType[]> {
  const contexts = new Map<string, GraphQLNamedType[]>();
  for (const type of Object.values(schema.getTypeMap())) {
    for (const directive of type.astNode?.directives ?? []) {
      const name = textOf(argumentOf(directive, 'name'));
      if (name !== undefined && contextDirectives.has(directive.name.value))
        contexts.getOrInsertComputed(name, () => []).push(type);
    }
  }
  return contexts;
}

function fromContexts(
  schema: GraphQLSchema,
  contexts: ReadonlyMap<string, readonly GraphQLNamedType[]>,
  value: ConstValueNode | undefined,
): readonly Coordinate[] {
  return (value?.kind === Kind.LIST ? value.values : []).flatMap((item) => {
    if (item.kind !== Kind.OBJECT) return [];
    const parts = new Map(item.fields.map((part) => [part.name.value, textOf(part.value)] as const));
    const selection = parts.get('selection');
    if (selection === undefined) return [];
    const types = contexts.get(parts.get('context') ?? '') ?? [];
    return types.flatMap((type) => selected(schema, type, selectionOf(selection)));
  });
}

/** Every field that the selection reads, on every type that it may read it of. */
function selected(
  schema: GraphQLSchema,
  type: GraphQLNamedType | undefined,
  selectionSet: SelectionSetNode | undefined,
): readonly Coordinate[] {
  return (selectionSet?.selections ?? []).flatMap((node): readonly Coordinate[] => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return [];
    if (node.kind === Kind.INLINE_FRAGMENT) {
      const condition = node.typeCondition?.name.value;
      return selected(schema, condition === undefined ? type : schema.getType(condition), node.selectionSet);
    }
    return typesOf(schema, type).flatMap((owner): readonly Coordinate[] => {
      const field = owner.getFields()[node.name.value];
      if (field === undefined) return [];
      const below = selected(schema, getNamedType(field.type), node.selectionSet);
      return [[owner.name, field.name], ...below];
    });
  });
}

function typesOf(
  schema: GraphQLSchema,
  type: GraphQLNamedType | undefined,
): readonly (GraphQLObjectType | GraphQLInterfaceType)[] {
  if (isObjectType(type)) return [type];
  if (!isAbstractType(type)) return [];
  return [...(isInterfaceType(type) ? [type] : []), ...schema.getPossibleTypes(type)];
}

function selectionOf(text: string): SelectionSetNode | undefined {
  // A context's selection stands in braces, or after a type condition.
  const body = text.trim().startsWith('{') ? text : `{ ${text} }`;
  const [definition] = parse(body, { noLocation: true }).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet : undefined;
}

function argumentOf(directive: ConstDirectiveNode, name: string): ConstValueNode | undefined {
  return directive.arguments?.find((argument) => argument.name.value === name)?.value;
}

function textOf(value: ConstValueNode | undefined): string | undefined {
  return value?.kind === Kind.STRING ? value.value : undefined;
}
