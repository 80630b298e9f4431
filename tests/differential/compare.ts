// When two answers are the same, and when an answer says anything at all.
import type { ExecutionResult } from 'graphql';
import { canonical } from './graph/truth.ts';

/** What is compared of an answer: JSON as a client reads it. */
export interface Answer {
  readonly data: unknown;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[] | undefined;
  }[];
}

export function answerOf(result: Pick<ExecutionResult, 'data' | 'errors'>): Answer {
  const { data = null, errors = [] } = JSON.parse(JSON.stringify(result)) as Partial<Answer>;
  return { data, errors };
}

/**
 * Undefined when the answers agree. Data must be equal to the byte and so in the order of the selection. Errors must be
 * there in both or in neither; and each null that the judge explains by an error must be explained, at it, above or below:
 * of several errors below one null, which is told is left to chance (GraphQL 2025-09, 6.4.4).
 */
export function disagreement(expected: Answer, got: Answer): string | undefined {
  if (canonical(expected.data) !== canonical(got.data)) return 'data';
  if (JSON.stringify(expected.data) !== JSON.stringify(got.data)) return 'order of fields';
  if (expected.errors.length > 0 && got.errors.length === 0) return 'errors are not told';
  if (expected.errors.length === 0 && got.errors.length > 0) return 'errors that are none';
  const told = got.errors.map(({ path }) => path ?? []);
  const unexplained = expected.errors
    .map(({ path = [] }) => path.slice(0, nullDepth(expected.data, path)))
    .find((path) => !told.some((other) => isPrefix(other, path) || isPrefix(path, other)));
  return unexplained === undefined ? undefined : 'a null is not explained';
}

/** How much of an error's path leads to the null that it left. */
function nullDepth(data: unknown, path: readonly (string | number)[]): number {
  let value = data;
  for (const [depth, segment] of path.entries()) {
    if (typeof value !== 'object' || value === null) return depth;
    value = (value as Readonly<Record<string | number, unknown>>)[segment];
  }
  return path.length;
}

function isPrefix(short: readonly unknown[], long: readonly unknown[]): boolean {
  return short.length <= long.length && short.every((segment, index) => segment === long[index]);
}

/** Whether an answer holds any value but names of types. */
export function isNonEmpty(data: unknown): boolean {
  if (Array.isArray(data)) return data.some(isNonEmpty);
  if (typeof data !== 'object' || data === null) return data !== null && data !== undefined;
  return Object.entries(data).some(([name, value]) => name !== '__typename' && isNonEmpty(value));
}

export function holdsNull(data: unknown): boolean {
  if (Array.isArray(data)) return data.some(holdsNull);
  if (typeof data !== 'object' || data === null) return data === null;
  return Object.values(data).some(holdsNull);
}
