// Which type names an object may carry to count as an object of a type.
import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';

/** The type's own name, its object types and the interfaces that implement it: a subgraph may answer with an interface's name. */
export function typeNamesWithin(schema: GraphQLSchema, typeName: string): ReadonlySet<string> {
  const names = new Set([typeName]);
  const type = schema.getType(typeName);
  if (!isAbstractType(type)) return names;
  for (const possible of schema.getPossibleTypes(type)) names.add(possible.name);
  if (!isInterfaceType(type)) return names;
  for (const child of schema.getImplementations(type).interfaces) names.add(child.name);
  return names;
}

/** Whether an object that carries the name is one of the type. */
export function isWithin(schema: GraphQLSchema, typeName: string, condition: string): boolean {
  if (typeName === condition) return true;
  const type = schema.getType(typeName);
  const conditionType = schema.getType(condition);
  if (!isAbstractType(conditionType)) return false;
  return (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(conditionType, type);
}
