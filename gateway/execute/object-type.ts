// Whether an object in the data is one of a type, by what it says of itself.
import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';
import { type DataObject, readOwn } from './data.ts';

/** Whether the object's `__typename` is the type or belongs to it; `unknown` when it says none. */
export function isObjectOfType(
  schema: GraphQLSchema,
  object: DataObject,
  typeCondition: string | undefined,
  unknown = false,
): boolean {
  if (typeCondition === undefined) return true;
  const typename = readOwn(object, '__typename');
  if (typeof typename !== 'string') return unknown;
  if (typename === typeCondition) return true;
  const type = schema.getType(typename);
  const condition = schema.getType(typeCondition);
  if (!isAbstractType(condition)) return false;
  return (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(condition, type);
}
