// Which operation a watch is of, for whoever counts use: kept beside what was prepared, and reckoned when it is told.
import type { GraphQLSchema } from 'graphql';
import type { PreparedOperation } from '../engine.ts';

/** What there was to prepare, once for each prepared operation. Holds the schema only until somebody has described it. */
export interface UsedOperation {
  readonly query: string;
  readonly operationName: string | undefined;
  /** That clients see; undefined when it is not needed any more. */
  schema: GraphQLSchema | undefined;
}

const used = new WeakMap<PreparedOperation, UsedOperation>();

/** Called whenever an operation was prepared, where use is counted; the first time counts. */
export function noteUsed(
  prepared: PreparedOperation,
  { query, operationName }: Pick<UsedOperation, 'query' | 'operationName'>,
  schema: GraphQLSchema,
): void {
  if (!used.has(prepared)) used.set(prepared, { query, operationName, schema });
}

/** Undefined where use is not counted. */
export function usedOperationOf(prepared: PreparedOperation): UsedOperation | undefined {
  return used.get(prepared);
}
