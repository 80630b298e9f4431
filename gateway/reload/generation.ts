// One generation: an engine over one supergraph, the count of what runs on it, and its end.
import { deadlineSignal, delay } from '@weft/core/deadline';
import { invariant } from '@weft/core/errors';
import type { ExecutionResult } from 'graphql';
import type { Engine, IncrementalExecution, PreparedOperation } from '../engine.ts';
import { ANONYMOUS } from '../identity/principal.ts';
import { endingWith } from '../incremental/ending-with.ts';
import type { ReloadLimits } from './limits.ts';
import type { OperationText } from './usage.ts';

/** What a generation is built of. */
export interface BuiltEngine {
  readonly engine: Engine & { close(): Promise<void> };
  /** Hash of the supergraph with its addresses, in hex. */
  readonly id: string;
}

export interface Generation {
  readonly id: string;
  readonly loadedAt: Date;
  /** Runs on this generation whatever is loaded later; keeps it open while something runs. */
  readonly engine: Engine;
  /** Keeps the generation open until the returned function is called. */
  hold(): () => void;
  /** Prepares the operations; those that the new graph does not have any more are passed over. Returns how many it has. */
  warm(operations: readonly OperationText[], signal: AbortSignal): Promise<number>;
  /** Takes it out of service: closed when nothing runs on it, or after `drainTimeoutMs`. Resolves, with whether it was cut off, when it is closed. */
  retire(): Promise<{ readonly cutOff: boolean }>;
  /** Closes it now, whatever runs on it. */
  close(): Promise<void>;
}

export interface GenerationOptions {
  readonly built: BuiltEngine;
  readonly limits: Pick<ReloadLimits, 'drainTimeoutMs' | 'lingerMs'>;
  /** Called whenever a transport has prepared an operation. */
  onPrepared(prepared: PreparedOperation, text: OperationText): void;
}

export function createGeneration({ built, limits, onPrepared }: GenerationOptions): Generation {
  const uses = createUseCount();
  const hurry = new AbortController();
  let closed: Promise<{ readonly cutOff: boolean }> | undefined;
  const retire = () => {
    closed ??= closeWhenIdle(built.engine, uses, limits, hurry.signal);
    return closed;
  };
  return {
    id: built.id,
    loadedAt: new Date(),
    engine: countUses(built.engine, uses, onPrepared),
    hold() {
      let held = true;
      uses.begin();
      return () => {
        if (held) uses.end();
        held = false;
      };
    },
    warm: (operations, signal) => warm(built.engine, operations, signal),
    retire,
    async close() {
      hurry.abort();
      await retire();
    },
  };
}

interface UseCount {
  begin(): void;
  end(): void;
  readonly count: number;
  /** Calls back when the count comes to nought. */
  onIdle: () => void;
}

function createUseCount(): UseCount {
  let count = 0;
  const uses: UseCount = {
    onIdle: () => undefined,
    begin() {
      count += 1;
    },
    end() {
      count -= 1;
      if (count === 0) uses.onIdle();
    },
    get count() {
      return count;
    },
  };
  return uses;
}

function countUses(engine: Engine, uses: UseCount, onPrepared: GenerationOptions['onPrepared']): Engine {
  const during = async <Value>(work: Promise<Value>): Promise<Value> => {
    uses.begin();
    try {
      return await work;
    } finally {
      uses.end();
    }
  };
  return {
    ...engine,
    prepare(query, operationName, principal = ANONYMOUS) {
      const prepared = engine.prepare(query, operationName, principal);
      if (!(prepared instanceof Promise)) {
        if (!('errors' in prepared)) onPrepared(prepared, { query, operationName, principal });
        return prepared;
      }
      return during(prepared).then((planned) => {
        if (!('errors' in planned)) onPrepared(planned, { query, operationName, principal });
        return planned;
      });
    },
    execute: (operation, variables, context) => during(engine.execute(operation, variables, context)),
    executeIncrementally:
      engine.executeIncrementally === undefined
        ? undefined
        : (operation, variables, context) =>
            duringParts(uses, () => engine.executeIncrementally?.(operation, variables, context)),
    executeEvent: (operation, variables, message, context) =>
      during(engine.executeEvent(operation, variables, message, context)),
    executeResult:
      engine.executeResult === undefined
        ? undefined
        : (operation, variables, result, context) =>
            during(executeResult(engine, operation, variables, result, context)),
  };
}

/** Of an engine that prepared a subscription, which those without them do not. */
export async function executeResult(
  engine: Engine,
  ...given: Parameters<NonNullable<Engine['executeResult']>>
): Promise<ExecutionResult> {
  invariant(engine.executeResult !== undefined, 'an engine executes results of subgraphs or it does not');
  return engine.executeResult(...given);
}

/** In use until the last part has been taken, or is wanted no more. */
async function duringParts(
  uses: UseCount,
  execute: () => ReturnType<NonNullable<Engine['executeIncrementally']>> | undefined,
): Promise<ExecutionResult | IncrementalExecution> {
  uses.begin();
  let isStreaming = false;
  try {
    const result = await execute();
    invariant(result !== undefined, 'an engine executes in parts or it does not');
    if (!('subsequent' in result)) return result;
    isStreaming = true;
    return { ...result, subsequent: endingWith(result.subsequent, () => uses.end()) };
  } finally {
    if (!isStreaming) uses.end();
  }
}

async function warm(
  engine: Engine,
  operations: readonly OperationText[],
  signal: AbortSignal,
): Promise<number> {
  let prepared = 0;
  for (const { query, operationName, principal } of operations) {
    if (signal.aborted) break;
    const outcome = await engine.prepare(query, operationName, principal);
    if (!('errors' in outcome)) prepared += 1;
    // An engine that prepares at once would keep the operations of now waiting.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return prepared;
}

async function closeWhenIdle(
  engine: BuiltEngine['engine'],
  uses: UseCount,
  { drainTimeoutMs, lingerMs }: GenerationOptions['limits'],
  hurry: AbortSignal,
): Promise<{ readonly cutOff: boolean }> {
  const signal = deadlineSignal(drainTimeoutMs, hurry);
  while (!signal.aborted) {
    if (uses.count > 0) await untilIdle(uses, signal);
    // What cuts the pause short ends the loop too.
    await delay(lingerMs, signal).catch(() => undefined);
    if (uses.count === 0) break;
  }
  const cutOff = uses.count > 0;
  await engine.close();
  return { cutOff };
}

function untilIdle(uses: UseCount, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    uses.onIdle = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
