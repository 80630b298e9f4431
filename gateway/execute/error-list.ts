// The errors of one answer: bounded in number, each with the path in the client's answer and the four extensions.
import type { HubError } from '@weft/core/errors';
import { GraphQLError } from 'graphql';
import type { Path } from './data.ts';

export interface ErrorList {
  add(error: HubError, path: Path | undefined): void;
  /** Whether an error at, above or below the path explains why there is nothing. */
  explains(path: Path): boolean;
  toArray(): readonly GraphQLError[];
}

export function createErrorList(traceId: string, errorsMax: number): ErrorList {
  const errors: GraphQLError[] = [];
  let seen: Set<string> | undefined;
  let leftOut = 0;
  return {
    add(error, path) {
      const key = JSON.stringify([path, error.code, error.system, error.message]);
      if (seen?.has(key) === true) return;
      if (errors.length >= errorsMax) {
        leftOut += 1;
        return;
      }
      seen ??= new Set();
      seen.add(key);
      errors.push(toGraphQLError(error, traceId, path));
    },
    explains: (path) =>
      leftOut > 0 || errors.some((error) => error.path === undefined || overlaps(error.path, path)),
    toArray() {
      if (leftOut === 0) return errors;
      const extensions = {
        code: 'LIMIT_EXCEEDED',
        origin: 'HUB',
        traceId,
        limit: 'errorsMax',
        max: errorsMax,
      };
      return [...errors, new GraphQLError(`${leftOut} more errors were left out.`, { extensions })];
    },
  };
}

/** What a client sees of a HubError: its sentence, the path, `code`, `origin`, `system` and `traceId`. */
export function toGraphQLError(error: HubError, traceId: string, path?: Path): GraphQLError {
  return new GraphQLError(error.message, {
    path,
    extensions: { ...error.toExtensions(), traceId },
  });
}

function overlaps(a: Path, b: Path): boolean {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
