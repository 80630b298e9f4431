// Composes in a thread of its own, bounded in time and memory.
import { Worker } from 'node:worker_threads';
import { OperatorError } from '@weft/core/errors';
import type { Composition, Subgraph } from '@weft/schema/compose';
import type { ReloadLimits } from './limits.ts';

export type ComposeLimits = Pick<ReloadLimits, 'composeTimeoutMs' | 'composeHeapMbMax'>;

/** @throws OperatorError when composition takes too long, too much memory, or falls */
export function composeInWorker(
  subgraphs: readonly Subgraph[],
  { composeTimeoutMs, composeHeapMbMax }: ComposeLimits,
): Promise<Composition> {
  const worker = new Worker(new URL('./compose-worker.ts', import.meta.url), {
    workerData: subgraphs,
    resourceLimits: { maxOldGenerationSizeMb: composeHeapMbMax },
    // A thread of the gateway's own, but not one that may see its settings.
    env: {},
  });
  return new Promise<Composition>((resolve, reject) => {
    const fail = (reason: string, cause?: unknown) =>
      reject(new OperatorError(`the graph could not be composed: ${reason}`, { cause }));
    const timer = setTimeout(() => fail(`it took longer than ${composeTimeoutMs} ms`), composeTimeoutMs);
    const settle = (run: () => void) => {
      clearTimeout(timer);
      run();
    };
    worker.once('message', (composition: Composition) => settle(() => resolve(composition)));
    worker.once('error', (error) => settle(() => fail(reasonOf(error, composeHeapMbMax), error)));
    worker.once('exit', (code) => settle(() => fail(`its thread ended with code ${code}`)));
  }).finally(() => worker.terminate());
}

function reasonOf(error: unknown, heapMbMax: number): string {
  if ((error as { readonly code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY')
    return `it took more than ${heapMbMax} MB`;
  return error instanceof Error ? error.message : String(error);
}
