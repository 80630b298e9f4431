// 一數一源: which system has the last word on a field, and where two have it.
import { type FieldDefinitionNode, Kind } from 'graphql';
import type { UnplacedProblem } from '../problem.ts';
import { type LintMember, type MemberType, ROOT_TYPES } from './lint-member.ts';

/** Systems that answer a field themselves, by `Type.field`, in the order of their names. */
export type Owners = ReadonlyMap<string, readonly string[]>;

/**
 * Of entities and of Query, Mutation and Subscription: a system owns a field when it answers it itself, so that it is no key
 * and not `@external`, and nobody hides it. By `@override` a field is that of the system which takes it over. Types without a key
 * are shapes: whose datum one is, the field says that returns it.
 */
export function findOwners(members: readonly LintMember[]): Owners {
  const hidden = findHidden(members);
  const entities = new Set(
    members.flatMap(({ types }) => [...types.values()].filter(isEntity).map(({ name }) => name)),
  );
  const owners = new Map<string, string[]>();
  const taken = new Map<string, Set<string>>();
  for (const member of members) {
    for (const type of member.types.values()) {
      if (hidden.has(type.name) || !(entities.has(type.name) || ROOT_TYPES.has(type.name))) continue;
      for (const field of type.fields) {
        const coordinate = `${type.name}.${field.name.value}`;
        if (hidden.has(coordinate) || !answers(member, type, field)) continue;
        owners.getOrInsertComputed(coordinate, () => []).push(member.name);
        const from = overrideOf(member, field);
        if (from !== undefined) taken.getOrInsertComputed(coordinate, () => new Set()).add(from);
      }
    }
  }
  return new Map(
    [...owners].map(([coordinate, systems]) => {
      const left = systems.filter((system) => taken.get(coordinate)?.has(system) !== true);
      return [coordinate, [...new Set(left)].sort()];
    }),
  );
}

function isEntity({ kind, keyFields }: MemberType): boolean {
  return kind === 'object' && keyFields.size > 0;
}

/** Whether the system itself answers the field. */
function answers(member: LintMember, type: MemberType, field: FieldDefinitionNode): boolean {
  if (type.keyFields.has(field.name.value)) return false;
  return !member.has(field, 'external') && !member.has(type, 'external');
}

/** The name of the system from which the field is taken over. */
export function overrideOf(member: LintMember, field: FieldDefinitionNode): string | undefined {
  const value = member.argument(field, 'override', 'from')?.[0]?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

/** Types and fields that one of the systems marks `@inaccessible`: composition then hides them. */
function findHidden(members: readonly LintMember[]): ReadonlySet<string> {
  const hidden = new Set<string>();
  for (const member of members) {
    for (const type of member.types.values()) {
      if (member.has(type, 'inaccessible')) hidden.add(type.name);
      for (const field of type.fields)
        if (member.has(field, 'inaccessible')) hidden.add(`${type.name}.${field.name.value}`);
    }
  }
  return hidden;
}

/** NOT_OWNER for each field that two systems answer. The one that answers most of the type is named as its owner, of equal ones the first. */
export function lintOwners(members: readonly LintMember[]): readonly UnplacedProblem[] {
  const owners = findOwners(members);
  return [...owners].flatMap(([coordinate, systems]) => {
    if (systems.length < 2) return [];
    const owner = mostOf(coordinate.split('.')[0] ?? '', systems, owners);
    const others = systems.filter((system) => system !== owner);
    const message = `answered by ${systems.join(' and ')}: its authoritative system is ${owner}, so that ${others.join(' and ')} may have it as @external only`;
    return [{ code: 'NOT_OWNER', message, systems, coordinate }];
  });
}

function mostOf(typeName: string, systems: readonly string[], owners: Owners): string {
  const counts = new Map(systems.map((system) => [system, 0]));
  for (const [coordinate, answering] of owners) {
    if (!coordinate.startsWith(`${typeName}.`)) continue;
    for (const system of answering) counts.set(system, (counts.get(system) ?? 0) + 1);
  }
  return systems.toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0))[0] ?? '';
}

/**
 * What a proposed system would answer although it belongs to another: NOT_OWNER, which names the owner. Taking a field over by
 * `@override` is in it too, since that is the owner's to grant.
 * @param owners of the systems that are published now, the proposed one's former version left out or not
 */
export function findForeignFields(owners: Owners, proposed: LintMember): readonly UnplacedProblem[] {
  const own = findOwners([proposed]);
  return [...own.keys()].flatMap((coordinate) => {
    const systems = owners.get(coordinate) ?? [];
    const [owner] = systems;
    if (owner === undefined || systems.includes(proposed.name)) return [];
    const message = `its authoritative system is ${owner}: ${proposed.name} may have it as @external only`;
    return [{ code: 'NOT_OWNER', message, systems: [proposed.name, owner], coordinate }];
  });
}
