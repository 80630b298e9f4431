// Preloaded into a gateway's process (`--expose-gc --import`): tells its heap, after collecting what is garbage, to who asks.
import type { ProcessMessage } from '@weft/core/process';

export type HeapMessage = { readonly kind: 'heap'; readonly bytes: number };
export type ProbedMessage = ProcessMessage | HeapMessage;

/** One collection leaves what is freed by the end of another. */
const COLLECTIONS = 4;

process.on('message', (message: { readonly kind?: string }) => {
  if (message.kind === 'heap') void tell();
});

async function tell(): Promise<void> {
  const { gc } = globalThis as unknown as { readonly gc: () => void };
  for (let n = 0; n < COLLECTIONS; n += 1) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const told: HeapMessage = { kind: 'heap', bytes: process.memoryUsage().heapUsed };
  process.send?.(told);
}
