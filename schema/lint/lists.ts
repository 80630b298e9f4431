// UNBOUNDED_LIST: whoever asks for a list says, or is told, how much of it there can be.
import { type FieldDefinitionNode, Kind, type TypeNode } from 'graphql';
import type { UnplacedProblem } from '../problem.ts';
import { namedTypeOf } from '../type-references.ts';
import { type LintMember, type MemberType, textOf } from './lint-member.ts';

/** Arguments by which clients bound a list. */
const SLICING = new Set(['first', 'last', 'limit', 'top', 'take', 'size', 'pageSize']);

const TOLD = /\bat most \d|(?:最多|不超过)\s*\d/i;

/** What a connection (https://relay.dev/graphql/connections.htm) gives in place of the list itself. */
const OF_CONNECTIONS = new Set(['edges', 'nodes']);

/**
 * A list of objects needs an argument that slices it, an argument that is a list itself (as many come as are asked for), or
 * `@listSize`, or a description that says `At most 50` (最多50). What a connection holds is bounded by the field that returns the connection, which needs the same. Lists of
 * scalars and enums are taken for short.
 */
export function lintLists(members: readonly LintMember[]): readonly UnplacedProblem[] {
  return members.flatMap((member) =>
    [...member.types.values()].flatMap((type) => {
      if (member.has(type, 'inaccessible')) return [];
      return type.fields
        .filter((field) => isUnbounded(member, type, field))
        .map((field) => ({
          code: 'UNBOUNDED_LIST',
          message: 'a list without a bound: give it an argument first or limit, @listSize, or say At most N',
          systems: [member.name],
          coordinate: `${type.name}.${field.name.value}`,
        }));
    }),
  );
}

function isUnbounded(member: LintMember, type: MemberType, field: FieldDefinitionNode): boolean {
  if (member.has(field, 'external', 'inaccessible', 'listSize')) return false;
  if (TOLD.test(textOf(field) ?? '')) return false;
  const name = namedTypeOf(field.type);
  const isConnection = name.endsWith('Connection');
  if (!isConnection && (!isList(field.type) || !isComposite(member, name))) return false;
  if (type.name.endsWith('Connection') && OF_CONNECTIONS.has(field.name.value)) return false;
  return !(field.arguments ?? []).some(
    (argument) => SLICING.has(argument.name.value) || isList(argument.type),
  );
}

function isList(type: TypeNode): boolean {
  return type.kind === Kind.LIST_TYPE || (type.kind === Kind.NON_NULL_TYPE && isList(type.type));
}

function isComposite(member: LintMember, name: string): boolean {
  const kind = member.types.get(name)?.kind;
  return kind === 'object' || kind === 'interface' || kind === 'union';
}
