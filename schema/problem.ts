// One finding of composition or lint: what is wrong, in which system, at which coordinate.
export interface Problem {
  /** Apollo's composition code, or one of ours: EVENT_STREAM_INVALID, RESERVED_NAME, NON_NULL_ACROSS_SYSTEMS. */
  readonly code: string;
  readonly message: string;
  /** The systems concerned, by name; empty when no single one is. */
  readonly systems: readonly string[];
  /** `Type`, `Type.field` or `@directive`; undefined when the finding has none. */
  readonly coordinate: string | undefined;
}

/** One line: `police: PoliceCase.unit: message [CODE]`. */
export function printProblem(problem: Problem): string {
  const where = [problem.systems.join(', '), problem.coordinate].filter(
    (part) => part !== undefined && part !== '',
  );
  return `${[...where, problem.message].join(': ')} [${problem.code}]`;
}
