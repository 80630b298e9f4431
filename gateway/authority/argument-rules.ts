// What the arguments that are given to a field need: their own rules, and those of the enums and scalars that they may hold.
import {
  type ArgumentNode,
  type FieldNode,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  type ValueNode,
} from 'graphql';
import type { OwnRules } from './own-rules.ts';

const NONE: readonly number[] = Object.freeze([]);

/** Numbers of the rules that the node's arguments need, which may repeat. @param schema the supergraph's whole schema */
export function createArgumentRules(
  own: OwnRules,
  schema: GraphQLSchema,
): (typeName: string, node: FieldNode) => readonly number[] {
  const ofCoordinate = (coordinate: string) => own.byCoordinate.get(coordinate) ?? NONE;
  const known = new Map<string, readonly number[]>();

  /** All that a value of the type may hold. */
  function ofInput(type: GraphQLInputType): readonly number[] {
    const named = getNamedType(type);
    const found = known.get(named.name);
    if (found !== undefined) return found;
    // Stands while the type is read, so that one that holds itself ends.
    known.set(named.name, NONE);
    const within = isInputObjectType(named)
      ? Object.values(named.getFields()).flatMap((field) => [
          ...ofCoordinate(`${named.name}.${field.name}`),
          ...ofInput(field.type),
        ])
      : NONE;
    const needed = [...new Set([...ofCoordinate(named.name), ...within])];
    known.set(named.name, needed);
    return needed;
  }

  function ofValue(type: GraphQLInputType, value: ValueNode): readonly number[] {
    const named = getNamedType(type);
    if (value.kind === Kind.NULL) return NONE;
    if (value.kind === Kind.VARIABLE) return ofInput(type);
    if (value.kind === Kind.LIST) return value.values.flatMap((item) => ofValue(type, item));
    if (!isInputObjectType(named) || value.kind !== Kind.OBJECT) return ofCoordinate(named.name);
    const given = value.fields.flatMap(({ name, value: inner }) => {
      const field = named.getFields()[name.value];
      if (field === undefined) return [];
      return [...ofCoordinate(`${named.name}.${name.value}`), ...ofValue(field.type, inner)];
    });
    return [...ofCoordinate(named.name), ...given];
  }

  return (typeName, node) => {
    if (node.arguments === undefined || node.arguments.length === 0) return NONE;
    const type = schema.getType(typeName);
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    return node.arguments.flatMap(({ name, value }: ArgumentNode) => {
      const argument = field?.args.find((one) => one.name === name.value);
      if (argument === undefined || value.kind === Kind.NULL) return [];
      const ownRules = ofCoordinate(`${typeName}.${node.name.value}(${name.value}:)`);
      return [...ownRules, ...ofValue(argument.type, value)];
    });
  };
}
