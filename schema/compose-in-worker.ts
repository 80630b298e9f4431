// Composes in a thread of its own, bounded in time and memory.
import { openBoundedWorker } from './bounded-worker.ts';
import type { Composition, Subgraph } from './compose.ts';

export interface ComposeLimits {
  readonly composeTimeoutMs: number;
  /** Old-space heap of the thread. */
  readonly composeHeapMbMax: number;
}

/**
 * As `compose`, while the caller's event loop goes on.
 * @throws OperatorError when composition takes too long, too much memory, or falls
 */
export async function composeInWorker(
  subgraphs: readonly Subgraph[],
  { composeTimeoutMs, composeHeapMbMax }: ComposeLimits,
): Promise<Composition> {
  const worker = openBoundedWorker<readonly Subgraph[], Composition>(
    new URL('./compose-worker.ts', import.meta.url),
    { timeoutMs: composeTimeoutMs, heapMbMax: composeHeapMbMax },
    'the graph could not be composed',
  );
  try {
    return await worker.run(subgraphs);
  } finally {
    await worker.close();
  }
}
