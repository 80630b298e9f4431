// Gives the types of a contract, their fields and their values names that GraphQL allows.
import type { ContractType, Member, Shape } from './contract-model.ts';
import { enumValueName, fieldName, namePool, typeName, typePool } from './names.ts';

export interface NamedMember {
  readonly name: string;
  readonly member: Member;
}

export type NamedType =
  | {
      readonly kind: 'object';
      readonly name: string;
      readonly type: Extract<ContractType, { kind: 'object' }>;
      readonly members: readonly NamedMember[];
    }
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly type: Extract<ContractType, { kind: 'enum' }>;
      /** The old system's value, and ours. */
      readonly values: readonly (readonly [string, string])[];
    };

/** @param hubTypes names that the hub's graph has already: a type of this system gets the system's name before it */
export function nameTypes(
  types: ReadonlyMap<string, ContractType>,
  system: string,
  hubTypes: Iterable<string>,
): ReadonlyMap<string, NamedType> {
  const pool = typePool(system, hubTypes);
  return new Map([...types].map(([id, type]) => [id, nameType(type, pool.take(typeName(type.name)))]));
}

/** A whole number beyond 32 bits that is an identifier is an ID; to others a Float is the nearest that GraphQL has. */
export function identifierShape(name: string, shape: Shape): Shape {
  const isLong = shape.kind === 'scalar' && shape.type === 'Float';
  return isLong && /^id$|Id$/.test(name) ? { kind: 'scalar', type: 'ID' } : shape;
}

function nameType(type: ContractType, name: string): NamedType {
  const pool = namePool();
  if (type.kind === 'enum') {
    const values = type.values.map((value) => [value, pool.take(enumValueName(value))] as const);
    return { kind: 'enum', name, type, values };
  }
  // A name that is GraphQL's already goes first: another that would become the same gets the number.
  const members = type.members.map((member) => ({ member, wanted: fieldName(member.name) }));
  const exact = members.filter(({ member, wanted }) => member.name === wanted);
  const names = new Map(
    [...exact, ...members.filter((one) => !exact.includes(one))].map(({ member, wanted }) => [
      member,
      pool.take(wanted),
    ]),
  );
  return {
    kind: 'object',
    name,
    type,
    members: members.map(({ member }) => {
      const given = names.get(member) ?? member.name;
      return { name: given, member: answeredMember(given, member) };
    }),
  };
}

function answeredMember(name: string, member: Member): Member {
  const { timeExample, check } = member;
  if (timeExample === undefined) return { ...member, shape: identifierShape(name, member.shape) };
  const guess = `a time by its example '${timeExample}' only; without an offset it is one of the source's timezone`;
  return {
    ...member,
    shape: { kind: 'scalar', type: 'DateTime' },
    check: check === undefined ? guess : `${guess}; ${check}`,
  };
}
