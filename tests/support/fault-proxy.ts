// A TCP proxy before one server, with the network's faults as modes that take effect on open connections too.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@weft/core/process-table';

/**
 * `refuse`: nobody listens, and what was open is reset. `delay`: what comes back is held for so long. `halfopen`:
 * requests arrive, answers are swallowed. `blackhole`: nothing arrives. `truncate`, `reset`: after so many bytes of an
 * answer the connection is ended, or reset.
 */
export type ProxyMode =
  | { readonly kind: 'pass' | 'refuse' | 'halfopen' | 'blackhole' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'truncate' | 'reset'; readonly afterBytes: number };

export interface FaultProxy {
  readonly port: number;
  setMode(mode: ProxyMode): Promise<void>;
  /** Connections that the client has open. */
  connections(): number;
  /** Connections that were ever taken. */
  accepted(): number;
  close(): Promise<void>;
}

interface Proxy {
  readonly targetPort: number;
  mode: ProxyMode;
  readonly inner: Set<Socket>;
  readonly timers: Set<NodeJS.Timeout>;
  accepted: number;
}

export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const proxy: Proxy = {
    targetPort,
    mode: { kind: 'pass' },
    inner: new Set(),
    timers: new Set(),
    accepted: 0,
  };
  // It may listen again later: a port that no connection out is given meanwhile.
  const port = await freePort();
  let server: Server | undefined = await listen(proxy, port);
  const stopListening = async () => {
    for (const timer of proxy.timers) clearTimeout(timer);
    const closing = server;
    server = undefined;
    closing?.close();
    for (const socket of proxy.inner) socket.resetAndDestroy();
    if (closing !== undefined) await once(closing, 'close');
  };
  return {
    port,
    async setMode(mode) {
      proxy.mode = mode;
      if (mode.kind === 'refuse') await stopListening();
      else server ??= await listen(proxy, port);
    },
    connections: () => proxy.inner.size,
    accepted: () => proxy.accepted,
    close: stopListening,
  };
}

async function listen(proxy: Proxy, port: number): Promise<Server> {
  const server = createServer({ noDelay: true }, (inner) => join(proxy, inner)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function join(proxy: Proxy, inner: Socket): void {
  proxy.accepted += 1;
  proxy.inner.add(inner);
  const outer = connect({ port: proxy.targetPort, host: '127.0.0.1', noDelay: true });
  for (const [one, other] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    // A reset is what these tests are about; the close that follows it ends the other side.
    one.on('error', () => one.destroy());
    one.on('close', () => other.destroy());
  }
  inner.on('close', () => proxy.inner.delete(inner));
  inner.on('data', (chunk) => {
    if (proxy.mode.kind !== 'blackhole') outer.write(chunk);
  });
  const answer = { bytes: 0 };
  outer.on('data', (chunk: Buffer) => passBack(proxy, inner, chunk, answer));
}

function passBack(proxy: Proxy, inner: Socket, chunk: Buffer, answer: { bytes: number }): void {
  const { mode } = proxy;
  switch (mode.kind) {
    case 'pass':
      inner.write(chunk);
      return;
    case 'delay': {
      const timer = setTimeout(() => {
        proxy.timers.delete(timer);
        if (!inner.destroyed) inner.write(chunk);
      }, mode.delayMs);
      proxy.timers.add(timer);
      return;
    }
    case 'truncate':
    case 'reset': {
      const part = chunk.subarray(0, Math.max(0, mode.afterBytes - answer.bytes));
      answer.bytes += part.length;
      const isOver = answer.bytes >= mode.afterBytes;
      inner.write(part, () => {
        if (!isOver) return;
        if (mode.kind === 'reset') inner.resetAndDestroy();
        else inner.end();
      });
      return;
    }
    case 'refuse':
    case 'halfopen':
    case 'blackhole':
      return;
    default:
      mode satisfies never;
  }
}
