// Lints systems: what composes, and should not stand in the graph as it is.

import type { Subgraph } from '../compose.ts';
import { place } from '../composition-problems.ts';
import { splitEventStreams } from '../event-streams.ts';
import type { SplitSubgraph } from '../events-subgraph.ts';
import { lintNullability } from '../lint-nullability.ts';
import { type Problem, type ProblemLevel, sortProblems, type UnplacedProblem } from '../problem.ts';
import { createPositions } from '../source-positions.ts';
import { type Allowance, reaches, readAllowances } from './allowances.ts';
import { lintDescriptions } from './descriptions.ts';
import { readMembers } from './lint-member.ts';
import { lintLists } from './lists.ts';
import { lintOwners } from './owners.ts';
import { lintPersonalInformation } from './personal-information.ts';

/** Every lint with its level. ERROR: a graph should not be published with it. */
export const LINTS = {
  NON_NULL_ACROSS_SYSTEMS: 'WARN',
  NOT_OWNER: 'ERROR',
  MISSING_DESCRIPTION: 'WARN',
  UNBOUNDED_LIST: 'WARN',
  UNPROTECTED_PERSONAL_INFORMATION: 'ERROR',
  LINT_ALLOW_INVALID: 'WARN',
} as const satisfies Readonly<Record<string, ProblemLevel>>;

export type LintCode = keyof typeof LINTS;

/** A finding that one of its systems allows itself. */
export interface AllowedProblem {
  readonly problem: Problem;
  readonly reason: string;
}

export interface LintReport {
  /** In the order of level, system and place. */
  readonly findings: readonly Problem[];
  readonly allowed: readonly AllowedProblem[];
}

/**
 * Lints the whole graph, which must compose: what one system has is a finding, or none, by what the others have. A finding is
 * allowed by `# lint-allow CODE: reason` above what it is about in one of its systems (docs/schema-checks.md); an allowance
 * without a reason, of a lint that there is not, or that allows nothing is a finding itself. Pure.
 */
export function lintSubgraphs(subgraphs: readonly Subgraph[]): LintReport {
  const sorted = [...subgraphs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = sorted.map(({ name }) => name);
  const positions = createPositions(sorted);
  const members = readMembers(sorted);
  const isWritten = ({ coordinate = '', systems }: UnplacedProblem) =>
    systems.some((system) => positions.defines(system, coordinate.split('.')[0] ?? ''));
  const found: readonly UnplacedProblem[] = [
    ...lintNullability(splitAll(sorted, new Set(members.map(({ name }) => name)))),
    ...lintOwners(members),
    ...lintDescriptions(members),
    ...lintLists(members),
    ...lintPersonalInformation(members),
  ];
  const problems = found
    .filter(isWritten)
    .map((problem) => place(problem, LINTS[problem.code as LintCode], positions, names));
  return applyAllowances(problems, new Map(sorted.map((system) => [system.name, readAllowances(system)])));
}

/** @param readable names of those whose SDL is GraphQL */
function splitAll(subgraphs: readonly Subgraph[], readable: ReadonlySet<string>): readonly SplitSubgraph[] {
  return subgraphs
    .filter(({ name }) => readable.has(name))
    .map(({ name, sdl }) => ({ name, split: splitEventStreams(sdl) }));
}

function applyAllowances(
  problems: readonly Problem[],
  bySystem: ReadonlyMap<string, readonly Allowance[]>,
): LintReport {
  const used = new Set<Allowance>();
  const allowed: AllowedProblem[] = [];
  const findings: Problem[] = [];
  for (const problem of sortProblems(problems)) {
    const allowance = problem.systems
      .flatMap((system) => bySystem.get(system) ?? [])
      .find((one) => one.code === problem.code && one.reason !== '' && reaches(one, problem.coordinate));
    if (allowance === undefined) {
      findings.push(problem);
      continue;
    }
    used.add(allowance);
    allowed.push({ problem, reason: allowance.reason });
  }
  const stale = [...bySystem.values()].flat().filter((allowance) => !used.has(allowance));
  return { findings: sortProblems([...findings, ...stale.map(problemOfAllowance)]), allowed };
}

function problemOfAllowance({ code, reason, coordinate, location }: Allowance): Problem {
  return {
    code: 'LINT_ALLOW_INVALID',
    level: LINTS.LINT_ALLOW_INVALID,
    message: complaintOf(code, reason),
    systems: [location.system],
    coordinate,
    locations: [location],
  };
}

function complaintOf(code: string, reason: string): string {
  if (!(code in LINTS)) return `there is no lint ${code}: ${Object.keys(LINTS).join(', ')}`;
  if (reason === '') return `needs a reason: # lint-allow ${code}: why this may be so`;
  return `allows ${code}, which is not found here: take it out`;
}
