// The engines that are compared: ours and the reference, behind one interface.

import { createLogger } from '@weft/core/logger';
import { createApolloEngine } from '@weft/gateway/apollo/apollo-engine';
import type { Engine, IncrementalExecution } from '@weft/gateway/engine';
import { createEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { type Answer, answerOf } from './compare.ts';
import { canonical } from './graph/truth.ts';

export const ENGINES = ['weft', 'apollo'] as const;
export type EngineName = (typeof ENGINES)[number];

export interface RunningEngine {
  readonly name: EngineName;
  /** Whether clients may defer parts of an operation. */
  readonly hasDefer: boolean;
  ask(query: string, variables: Readonly<Record<string, unknown>>): Promise<Answer>;
  close(): Promise<void>;
}

const OPERATION_TIMEOUT_MS = 20_000;
/** Generated documents are bigger than those of clients. */
const LIMITS = {
  documentTokensMax: 10_000,
  operationTimeoutMs: OPERATION_TIMEOUT_MS,
  // Generated operations ask for more than anybody would be let.
  costMax: Number.MAX_SAFE_INTEGER,
} as const;

/** @throws Error when the engine refuses the supergraph */
export async function startEngine(name: EngineName, supergraphSdl: string): Promise<RunningEngine> {
  const logger = createLogger('differential', 'silent');
  const create = name === 'weft' ? createEngine : createApolloEngine;
  const engine = await create({ supergraphSdl, logger, limits: LIMITS });
  return {
    name,
    hasDefer: engine.schema.getDirective('defer') != null,
    ask: (query, variables) => ask(engine, query, variables),
    close: () => engine.close(),
  };
}

async function ask(
  engine: Engine,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const prepared = await engine.prepare(query);
  if ('errors' in prepared) return answerOf({ data: null, errors: prepared.errors });
  const context = {
    signal: AbortSignal.timeout(OPERATION_TIMEOUT_MS),
    traceId: 'd1ff'.repeat(8),
    principal: ANONYMOUS,
  };
  const result = await engine.execute(prepared, variables, context);
  // @apollo/gateway tells what completion found only here, and only when no subgraph told an error.
  const found = result.extensions?.valueCompletion;
  const errors = result.errors ?? (Array.isArray(found) ? (found as readonly GraphQLError[]) : []);
  const whole = answerOf({ ...result, errors });
  // A change cannot be made twice for one judge.
  if (prepared.isDeferred !== true || prepared.kind === 'mutation') return whole;
  if (engine.executeIncrementally === undefined) return whole;
  // What is null in a fragment that came later stays within it: parts with errors are another answer, and rightly.
  if (whole.errors.length > 0) return whole;
  const parts = await together(await engine.executeIncrementally(prepared, variables, context));
  return canonical(parts.data) === canonical(whole.data) && parts.errors.length === 0 ? whole : parts;
}

/** What a client has when all parts have come. */
async function together(result: ExecutionResult | IncrementalExecution): Promise<Answer> {
  if (!('initial' in result)) return answerOf(result);
  const { data, errors } = answerOf(result.initial);
  const all = [...errors];
  for await (const { incremental = [] } of result.subsequent) {
    for (const part of incremental) {
      const { data: more, errors: failed } = answerOf(part);
      all.push(...failed);
      mergeInto(
        part.path.reduce<unknown>((at, name) => (at as Record<string | number, unknown>)[name], data),
        more,
      );
    }
  }
  return { data, errors: all };
}

function mergeInto(target: unknown, source: unknown): void {
  if (typeof target !== 'object' || target === null || typeof source !== 'object' || source === null) return;
  const into = target as Record<string, unknown>;
  for (const [name, value] of Object.entries(source)) {
    if (typeof into[name] === 'object' && into[name] !== null) mergeInto(into[name], value);
    else into[name] = value;
  }
}
