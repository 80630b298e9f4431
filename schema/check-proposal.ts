// Judges a proposed graph: whether it composes, what it may not be called, what it takes from others, and whom it breaks.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
} from 'graphql';
import { findBrokenOperations } from './broken-operations.ts';
import { compose } from './compose.ts';
import { sortProblems } from './problem.ts';
import { isLint, lintProposal, placeTakeovers } from './proposal-lints.ts';
import {
  type CheckReport,
  CURRENT_VARIANT,
  type Proposal,
  type ProposedMember,
  type Takeover,
  type UsedOperation,
} from './registry-checks.ts';
import { makeVariants } from './registry-variants.ts';
import { findReservedNames } from './reserved-names.ts';

/**
 * Pure; runs in the thread of `openRegistryChecks`.
 * @param used who counts, and no more
 */
export async function checkProposal(
  { members, supergraphSdl, variants = [] }: Proposal,
  used: readonly UsedOperation[],
): Promise<CheckReport> {
  const reserved = members
    .filter(({ isChanged }) => isChanged)
    .flatMap((member) => findReservedNames(member.name, tryParse(member.sdl)));
  const composition = compose(members);
  const errors = [...reserved, ...(composition.errors ?? [])];
  if (composition.errors !== undefined || errors.length > 0)
    return {
      supergraphs: {},
      errors,
      hints: [],
      unprotected: [],
      lostVariants: [],
      broken: [],
      takeovers: [],
    };
  const lints = lintProposal(members);
  const made = makeVariants(composition.supergraphSdl, variants);
  const overrides = members.flatMap((member) => takeoversOf(member, members));
  return {
    supergraphs: { ...made.supergraphs, [CURRENT_VARIANT]: composition.supergraphSdl },
    errors,
    hints: sortProblems([
      ...composition.hints.filter((hint) => !isLint(hint)),
      ...lints.hints,
      ...made.hints,
    ]),
    unprotected: lints.unprotected,
    lostVariants: made.lost,
    broken: await findBrokenOperations(supergraphSdl, composition.supergraphSdl, used),
    takeovers: placeTakeovers(members, [...overrides, ...lints.takeovers]),
  };
}

/** Undefined for what is no GraphQL: composition says so with a line. */
function tryParse(sdl: string): DocumentNode | undefined {
  try {
    return parse(sdl, { noLocation: true });
  } catch {
    return undefined;
  }
}

type Unplaced = Omit<Takeover, 'location'>;

function takeoversOf(member: ProposedMember, members: readonly ProposedMember[]): readonly Unplaced[] {
  const { name: system, owner, isChanged, sdl, previousSdl = '' } = member;
  if (!isChanged) return [];
  const foreign = new Set(members.filter((other) => other.owner !== owner).map(({ name }) => name));
  const before = new Set(overridesIn(previousSdl).map(({ coordinate, from }) => `${coordinate} ${from}`));
  return overridesIn(sdl)
    .filter(({ coordinate, from }) => foreign.has(from) && !before.has(`${coordinate} ${from}`))
    .map((override) => ({ system, ...override }));
}

function overridesIn(sdl: string): readonly Omit<Unplaced, 'system'>[] {
  const types = (tryParse(sdl)?.definitions ?? []).filter(isObjectType);
  return types.flatMap(({ name: type, fields = [] }) =>
    fields.flatMap(({ name: field, directives = [] }) =>
      directives.flatMap((directive) => {
        const from = overriddenBy(directive);
        return from === undefined ? [] : [{ coordinate: `${type.value}.${field.value}`, from }];
      }),
    ),
  );
}

type ObjectType = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

function isObjectType(definition: { readonly kind: Kind }): definition is ObjectType {
  return definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION;
}

/** `@override` may be imported under any name: whatever says `from` a member of the graph is taken for it. */
function overriddenBy({ arguments: given = [] }: ConstDirectiveNode): string | undefined {
  const from = given.find(({ name }) => name.value === 'from')?.value;
  return from?.kind === Kind.STRING ? from.value : undefined;
}
