// A process's inspector, asked for one thing: to collect its garbage, so that a look at its heap sees what is held.
import { deadlineSignal } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { WebSocket } from 'ws';

const ANSWER_MS_MAX = 30_000;

/**
 * Twice, as what a finalizer lets go of is collected by the next one
 * (https://chromedevtools.github.io/devtools-protocol/v8/HeapProfiler/#method-collectGarbage).
 * @param port of `--inspect=127.0.0.1:PORT`
 * @throws HubError when nobody answers there
 */
export async function collectGarbage(port: number, signal: AbortSignal): Promise<void> {
  const until = deadlineSignal(ANSWER_MS_MAX, signal);
  const response = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: until });
  const [target] = (await response.json()) as readonly { readonly webSocketDebuggerUrl?: string }[];
  if (target?.webSocketDebuggerUrl === undefined)
    throw new HubError('UPSTREAM_INVALID', `no inspector answers on port ${port}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  try {
    await new Promise<void>((resolve, reject) => {
      until.addEventListener('abort', () => reject(until.reason), { once: true });
      socket.once('error', reject);
      socket.once('open', () => socket.send(COLLECT(1)));
      socket.on('message', (data) => {
        const { id } = JSON.parse(String(data)) as { readonly id?: number };
        if (id === 1) socket.send(COLLECT(2));
        if (id === 2) resolve();
      });
    });
  } finally {
    socket.terminate();
  }
}

const COLLECT = (id: number) => JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' });
