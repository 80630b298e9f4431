// Which rules an operation touches: all that may decide what its asker gets of it.
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isUnionType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { AccessRules } from './access-rules.ts';

/**
 * Numbers of rules, in order; of all operations and fragments in the document, which is more than one operation may touch.
 * @param document valid
 * @param schema what clients see
 */
export function usedRules(
  schema: GraphQLSchema,
  rules: AccessRules,
  document: DocumentNode,
): readonly number[] {
  const used = new Set<number>();
  const add = (numbers: readonly number[]) => {
    for (const number of numbers) used.add(number);
  };
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      enter(node) {
        if (node.kind === Kind.FIELD) addField(schema, rules, typeInfo, node, add);
      },
    }),
  );
  return [...used].sort((a, b) => a - b);
}

type Add = (numbers: readonly number[]) => void;

function addField(
  schema: GraphQLSchema,
  rules: AccessRules,
  typeInfo: TypeInfo,
  node: FieldNode,
  add: Add,
): void {
  const parent = typeInfo.getParentType();
  const field = typeInfo.getFieldDef();
  if (!isCompositeType(parent) || !field || node.name.value.startsWith('__')) return;
  for (const typeName of namesOf(schema, parent)) {
    add(rules.ofField(typeName, node.name.value));
    add(rules.ofArguments(typeName, node));
  }
}

function namesOf(schema: GraphQLSchema, type: GraphQLCompositeType): readonly string[] {
  if (!isAbstractType(type)) return [type.name];
  const possible = schema.getPossibleTypes(type).map(({ name }) => name);
  return isUnionType(type) ? possible : [type.name, ...possible];
}
