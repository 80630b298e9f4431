// What each coordinate needs in all: its own rules and those of all that it would show.
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { directivesNamed, readFeatures } from '../plan/supergraph-features.ts';
import { createArgumentRules } from './argument-rules.ts';
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

  return {
    requirements: own.requirements,
    ofField,
    ofArguments: createArgumentRules(own, schema),
  };
}

type Owner = GraphQLObjectType | GraphQLInterfaceType;

/** In order. */
function distinct(numbers: readonly number[]): readonly number[] {
  return numbers.length === 0 ? NONE : [...new Set(numbers)].sort((a, b) => a - b);
}
