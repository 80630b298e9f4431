// MISSING_DESCRIPTION: what people look for in the graph says what it is.
import type { UnplacedProblem } from '../problem.ts';
import { type LintMember, type MemberType, ROOT_TYPES, textOf } from './lint-member.ts';

/** What a page of a list is made of (https://relay.dev/graphql/connections.htm). */
const OF_PAGES = /(Connection|Edge|^PageInfo)$/;

/**
 * Types, and fields of Query, Mutation and Subscription, want a description; a type that several systems have wants one in one of
 * them. Fields of other types may speak for themselves. None is wanted of what is hidden or only carries a key, of the parts of
 * pages, of what a live field returns (the field has it), and of enums each of whose values has one.
 */
export function lintDescriptions(members: readonly LintMember[]): readonly UnplacedProblem[] {
  const described = new Set(
    members.flatMap(({ types }) =>
      [...types.values()].filter(({ isDescribed }) => isDescribed).map(({ name }) => name),
    ),
  );
  const told = new Set<string>();
  return members.flatMap((member) =>
    [...member.types.values()].flatMap((type) => {
      if (ROOT_TYPES.has(type.name)) return lintRootFields(member, type);
      if (described.has(type.name) || told.has(type.name) || isBare(member, type)) return [];
      told.add(type.name);
      return [missing(member.name, type.name, `the ${type.kind} has no description`)];
    }),
  );
}

function isBare(member: LintMember, type: MemberType): boolean {
  if (member.has(type, 'inaccessible') || OF_PAGES.test(type.name) || type.areValuesDescribed) return true;
  if (type.kind !== 'object') return false;
  if (type.interfaces.has('Resumable')) return true;
  return type.fields.every((field) => type.keyFields.has(field.name.value) || member.has(field, 'external'));
}

function lintRootFields(member: LintMember, type: MemberType): readonly UnplacedProblem[] {
  return type.fields.flatMap((field) => {
    if (textOf(field) !== undefined || member.has(field, 'inaccessible', 'external')) return [];
    return [missing(member.name, `${type.name}.${field.name.value}`, 'the field has no description')];
  });
}

function missing(system: string, coordinate: string, what: string): UnplacedProblem {
  const message = `${what}: say what it is, in the words of its department`;
  return { code: 'MISSING_DESCRIPTION', message, systems: [system], coordinate };
}
