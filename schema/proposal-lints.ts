// What lints find about the systems that a proposal changes, and what of it stands against publishing.
import { LINTS, lintSubgraphs } from './lint/lint.ts';
import { readMembers } from './lint/lint-member.ts';
import { findOwners } from './lint/owners.ts';
import type { Problem } from './problem.ts';
import type { ProposedMember, Takeover } from './registry-checks.ts';
import { createPositions } from './source-positions.ts';

export interface ProposalLints {
  /** Findings about changed systems that refuse nothing. */
  readonly hints: readonly Problem[];
  /** Personal information that a changed system opens to everybody, and did not before. */
  readonly unprotected: readonly Problem[];
  /** Fields that a changed system answers beside one of another department, and did not before. */
  readonly takeovers: readonly Omit<Takeover, 'location'>[];
}

/** Of a graph that composes. Pure. */
export function lintProposal(members: readonly ProposedMember[]): ProposalLints {
  const changed = new Set(members.filter(({ isChanged }) => isChanged).map(({ name }) => name));
  if (changed.size === 0) return { hints: [], unprotected: [], takeovers: [] };
  const takeovers = findAnsweredTwice(members);
  const taken = new Set(takeovers.map(({ coordinate }) => coordinate));
  const findings = lintSubgraphs(members).findings.filter(
    ({ code, systems, coordinate = '' }) =>
      systems.some((system) => changed.has(system)) && !(code === 'NOT_OWNER' && taken.has(coordinate)),
  );
  const open = findings.filter(isOpen);
  const before = open.length === 0 ? new Set() : openBefore(members);
  const unprotected = open.filter((problem) => !before.has(keyOf(problem)));
  return { hints: findings.filter((one) => !unprotected.includes(one)), unprotected, takeovers };
}

/** Whether composition's own hint is one that lints tell, or pass over since it is allowed. */
export function isLint({ code }: Problem): boolean {
  return code in LINTS;
}

function isOpen({ code }: Problem): boolean {
  return code === 'UNPROTECTED_PERSONAL_INFORMATION';
}

function keyOf({ systems, coordinate }: Problem): string {
  return JSON.stringify([systems, coordinate]);
}

/** What was open already, whether or not it was allowed. */
function openBefore(members: readonly ProposedMember[]): ReadonlySet<unknown> {
  const before = members.flatMap(({ name, url, sdl, isChanged, previousSdl }) => {
    if (!isChanged) return [{ name, url, sdl }];
    return previousSdl === undefined ? [] : [{ name, url, sdl: previousSdl }];
  });
  const { findings, allowed } = lintSubgraphs(before);
  return new Set([...findings, ...allowed.map(({ problem }) => problem)].filter(isOpen).map(keyOf));
}

/** A comment of the system that takes does not allow this: it is not its own to grant. */
function findAnsweredTwice(members: readonly ProposedMember[]): ProposalLints['takeovers'] {
  const ownerOf = new Map(members.map(({ name, owner }) => [name, owner]));
  const owners = findOwners(readMembers(members));
  return members.flatMap(({ name: system, url, owner, isChanged, previousSdl }) => {
    if (!isChanged) return [];
    const before = findOwners(readMembers([{ name: system, url, sdl: previousSdl ?? '' }]));
    return [...owners].flatMap(([coordinate, systems]) => {
      if (!systems.includes(system) || before.has(coordinate)) return [];
      const from = systems.find((other) => ownerOf.get(other) !== owner);
      return from === undefined ? [] : [{ system, coordinate, from }];
    });
  });
}

/** Each with the place where the system that takes writes it. */
export function placeTakeovers(
  members: readonly ProposedMember[],
  takeovers: readonly Omit<Takeover, 'location'>[],
): readonly Takeover[] {
  const positions = createPositions(members);
  return takeovers.map((takeover) => ({
    ...takeover,
    location: positions.ofCoordinate(takeover.system, takeover.coordinate),
  }));
}
