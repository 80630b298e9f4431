// What a variable of an input type can bring.
import { type GraphQLInputType, getNamedType, isEnumType, isInputObjectType } from 'graphql';

export interface Held {
  /** Names of input objects, enums and scalars. */
  readonly types: ReadonlySet<string>;
  /** `Input.field` and `Enum.VALUE`. */
  readonly coordinates: ReadonlySet<string>;
}

/** All of the type and of the types of its fields, at any depth; the walk ends at what it has met before. */
export function heldBy(type: GraphQLInputType): Held {
  const types = new Set<string>();
  const coordinates = new Set<string>();
  const pending = [getNamedType(type)];
  for (const held of pending) {
    if (types.has(held.name)) continue;
    types.add(held.name);
    if (isEnumType(held)) for (const { name } of held.getValues()) coordinates.add(`${held.name}.${name}`);
    if (!isInputObjectType(held)) continue;
    for (const field of Object.values(held.getFields())) {
      coordinates.add(`${held.name}.${field.name}`);
      pending.push(getNamedType(field.type));
    }
  }
  return { types, coordinates };
}
