// One finding of composition or lint: what is wrong, in which systems, at which coordinate, and where that stands.

/** ERROR: there is no graph. WARN and INFO: there is one, and this is what it has. */
export type ProblemLevel = 'ERROR' | 'WARN' | 'INFO';

/** A place in what a system has written. */
export interface ProblemLocation {
  readonly system: string;
  /** As the system's sources name it; `sdl` for an SDL that came without a file. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface Problem {
  /** Apollo's composition code, or one of ours: docs/schema-checks.md lists them. */
  readonly code: string;
  readonly level: ProblemLevel;
  readonly message: string;
  /** The systems concerned, by name; empty when no single one is. */
  readonly systems: readonly string[];
  /** `Type`, `Type.field` or `@directive`; undefined when the finding has none. */
  readonly coordinate: string | undefined;
  /** One a system that wrote something of it, in the order of `systems`; empty when no system is concerned. */
  readonly locations: readonly ProblemLocation[];
}

/** A finding before it is known where it stands. */
export type UnplacedProblem = Omit<Problem, 'locations' | 'level'>;

/** One line: `police.graphql:12:3: police: PoliceCase.unit: message [CODE]`; places beyond the first in brackets. */
export function printProblem(problem: Problem): string {
  const [first, ...others] = problem.locations.map(({ file, line, column }) => `${file}:${line}:${column}`);
  const also = others.length === 0 ? '' : ` (${others.join(', ')})`;
  const where = [first, problem.systems.join(', '), problem.coordinate].filter(
    (part) => part !== undefined && part !== '',
  );
  return `${[...where, problem.message].join(': ')} [${problem.code}]${also}`;
}

/** By system, place, code, coordinate and message: the same findings stand in the same order, and each once. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const keyed = new Map(
    problems.map((problem) => [
      JSON.stringify([problem.level, problem.code, problem.systems, problem.coordinate, problem.message]),
      problem,
    ]),
  );
  return [...keyed]
    .sort(([a, one], [b, other]) => compareProblems(one, other) || (a < b ? -1 : 1))
    .map(([, problem]) => problem);
}

const LEVELS: readonly ProblemLevel[] = ['ERROR', 'WARN', 'INFO'];

function compareProblems(a: Problem, b: Problem): number {
  const [one, other] = [a.locations[0], b.locations[0]];
  const byLevel = LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level);
  if (byLevel !== 0) return byLevel;
  if (one === undefined || other === undefined)
    return Number(one === undefined) - Number(other === undefined);
  if (one.system !== other.system) return one.system < other.system ? -1 : 1;
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line || one.column - other.column;
}
