// An engine over the library's members, composed as they are started, and short ways to ask it.

import { createLogger } from '@weft/core/logger';
import { createEngine, type EngineOptions, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import type { EngineLimits } from '@weft/gateway/limits';
import { compose, type Subgraph } from '@weft/schema/compose';
import type { ExecutionResult } from 'graphql';

export const TRACE_ID = 'abcdef0123456789abcdef0123456789';

export function composeOrThrow(members: readonly Subgraph[]): string {
  const composition = compose(members);
  if (composition.errors !== undefined) throw new Error(JSON.stringify(composition.errors, null, 2));
  return composition.supergraphSdl;
}

export function engineOver(
  members: readonly Subgraph[],
  limits: Partial<EngineLimits> = {},
  more: Partial<EngineOptions> = {},
): GatewayEngine {
  return createEngine({
    supergraphSdl: composeOrThrow(members),
    logger: createLogger('test', 'silent'),
    limits,
    ...more,
  });
}

/** JSON as a client sees it. */
export interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

export async function ask(
  engine: GatewayEngine,
  query: string,
  variables: Record<string, unknown> = {},
  signal: AbortSignal = AbortSignal.timeout(20_000),
): Promise<Answer> {
  const prepared = await engine.prepare(query);
  if ('errors' in prepared) return asClient(prepared);
  return asClient(
    await engine.execute(prepared, variables, { signal, traceId: TRACE_ID, principal: ANONYMOUS }),
  );
}

export function asClient(result: ExecutionResult): Answer {
  return JSON.parse(JSON.stringify(result));
}
