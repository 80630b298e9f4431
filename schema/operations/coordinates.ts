// Which coordinates of a schema an operation uses (https://spec.graphql.org/September2025/#sec-Schema-Coordinates).
import {
  type ASTNode,
  type ASTVisitor,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  type OperationDefinitionNode,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { heldBy } from './held-by-variable.ts';
import { fragmentsOf, reachableFragments } from './reachable-fragments.ts';

/**
 * `Type.field`, `Type.field(argument:)`, `Input.field` and `Enum.VALUE` that the operation uses, in order, each once:
 * - a field that is selected on an interface, and each argument given there, counts for the interface and for every object type
 *   that implements it; one that is selected on a type counts for that alone;
 * - of a literal the input fields and enum values count that it names;
 * - of a variable all fields and values count that its type can hold, at any depth, since it may bring each;
 * - enum values in answers, `__typename` and introspection do not count.
 * Pure, and without a memory: whoever asks often keeps the answer by document and schema.
 * @param schema the one that clients see (API schema)
 * @param document valid against it; what is not is passed over
 */
export function coordinatesOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): readonly string[] {
  const used = new Set<string>();
  const typeInfo = new TypeInfo(schema);
  const visitor = visitWithTypeInfo(typeInfo, usesOf(schema, typeInfo, used));
  const fragments = reachableFragments(operation, fragmentsOf(document));
  for (const node of [operation, ...fragments] satisfies ASTNode[]) visit(node, visitor);
  return [...used].sort();
}

function usesOf(schema: GraphQLSchema, typeInfo: TypeInfo, used: Set<string>): ASTVisitor {
  return {
    Field() {
      const parent = typeInfo.getParentType();
      const field = typeInfo.getFieldDef();
      if (parent === null || parent === undefined || field === null || field === undefined) return;
      for (const type of typesThatAnswer(schema, parent.name, field.name)) used.add(`${type}.${field.name}`);
    },
    Argument(node) {
      const parent = typeInfo.getParentType();
      const field = typeInfo.getFieldDef();
      if (typeInfo.getDirective() !== null && typeInfo.getDirective() !== undefined) return;
      if (parent === null || parent === undefined || field === null || field === undefined) return;
      if (!field.args.some(({ name }) => name === node.name.value)) return;
      for (const type of typesThatAnswer(schema, parent.name, field.name))
        used.add(`${type}.${field.name}(${node.name.value}:)`);
    },
    ObjectField(node) {
      const input = typeInfo.getParentInputType();
      const type = input === null || input === undefined ? undefined : getNamedType(input);
      if (isInputObjectType(type) && node.name.value in type.getFields())
        used.add(`${type.name}.${node.name.value}`);
    },
    EnumValue(node) {
      const type = getNamedType(typeInfo.getInputType() ?? undefined);
      if (isEnumType(type) && type.getValue(node.value) !== undefined) used.add(`${type.name}.${node.value}`);
    },
    VariableDefinition(node) {
      const type = typeFromAST(schema, node.type as Parameters<typeof typeFromAST>[1]);
      if (type === undefined) return;
      for (const coordinate of heldBy(type as GraphQLInputType).coordinates) used.add(coordinate);
    },
  };
}

/** The type itself, and for an interface those that implement it; none for what every type has (`__typename`). */
function typesThatAnswer(schema: GraphQLSchema, typeName: string, fieldName: string): readonly string[] {
  const type = schema.getType(typeName);
  if (fieldName.startsWith('__') || typeName.startsWith('__')) return [];
  if (!isAbstractType(type)) return [typeName];
  return [typeName, ...schema.getPossibleTypes(type).map(({ name }) => name)];
}
