// What each coordinate needs in all: its own rules and those of all that it would show.
import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  type ValueNode,
} from 'graphql';
import { directivesNamed, readFeatures } from '../plan/supergraph-features.ts';
import { createHandedOver } from './handed-over.ts';
import { readOwnRules } from './own-rules.ts';
import type { Requirement } from './requirement.ts';

/** Numbers are places in `requirements`; a coordinate needs all of its numbers. */
export interface AccessRules {
  readonly requirements: readonly Requirement[];
  /** Of a field on an object type or an interface, whatever its arguments. */
  ofField(typeName: string, fieldName: string): readonly number[];
  /** Of the arguments that the node gives to the field. */
  ofArguments(typeName: string, node: FieldNode): readonly number[];
}

const NONE: readonly number[] = Object.freeze([]);

/**
 * @param document the supergraph
 * @param schema its whole schema, with its syntax tree
 * @throws OperatorError naming a rule that cannot be read
 */
export function createAccessRules(document: DocumentNode, schema: GraphQLSchema): AccessRules {
  const own = readOwnRules(document);
  const ofCoordinate = (coordinate: string) => own.byCoordinate.get(coordinate) ?? NONE;
  const fields = new Map<string, readonly number[]>();
  const inputs = new Map<string, readonly number[]>();
  const handedOver = createHandedOver(schema, directivesNamed(readFeatures(document), 'context'));

  function ofField(typeName: string, fieldName: string): readonly number[] {
    const coordinate = `${typeName}.${fieldName}`;
    const known = fields.get(coordinate);
    if (known !== undefined) return known;
    // Stands while the field is read, so that a circle of fields that require each other ends.
    fields.set(coordinate, NONE);
    const type = schema.getType(typeName);
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined;
    const needed = field === undefined ? NONE : distinct(neededBy(type as Owner, field));
    fields.set(coordinate, needed);
    return needed;
  }

  function neededBy(type: Owner, field: GraphQLField<unknown, unknown>): readonly number[] {
    const interfaces = type.getInterfaces().filter((one) => field.name in one.getFields());
    return [
      ...ofCoordinate(type.name),
      ...ofCoordinate(`${type.name}.${field.name}`),
      ...ofCoordinate(getNamedType(field.type).name),
      ...interfaces.flatMap((one) => ofField(one.name, field.name)),
      ...handedOver(type, field).flatMap(([typeName, fieldName]) => ofField(typeName, fieldName)),
    ];
  }

  /** All that a value of the type may hold. */
  function ofInput(type: GraphQLInputType): readonly number[] {
    const named = getNamedType(type);
    const known = inputs.get(named.name);
    if (known !== undefined) return known;
    inputs.set(named.name, NONE);
    const within = isInputObjectType(named)
      ? Object.values(named.getFields()).flatMap((field) => [
          ...ofCoordinate(`${named.name}.${field.name}`),
          ...ofInput(field.type),
        ])
      : NONE;
    const needed = distinct([...ofCoordinate(named.name), ...within]);
    inputs.set(named.name, needed);
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

  return {
    requirements: own.requirements,
    ofField,
    ofArguments(typeName, node) {
      if (node.arguments === undefined || node.arguments.length === 0) return NONE;
      const type = schema.getType(typeName);
      const field =
        isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
      return node.arguments.flatMap(({ name, value }: ArgumentNode) => {
        const argument = field?.args.find((one) => one.name === name.value);
        if (argument === undefined || value.kind === Kind.NULL) return [];
        const ownRules = ofCoordinate(`${typeName}.${node.name.value}(${name.value}:)`);
        return [...ownRules, ...ofValue(argument.type, value)];
      });
    },
  };
}

type Owner = GraphQLObjectType | GraphQLInterfaceType;

function distinct(numbers: readonly number[]): readonly number[] {
  return numbers.length === 0 ? NONE : [...new Set(numbers)].sort((a, b) => a - b);
}
