// A TCP forwarder before a database: it counts what is asked, and breaks connections as it is told.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface SqlGate {
  readonly port: number;
  /** Requests in which the marked table is named. */
  reads(): number;
  /** The most sessions that ever waited for an answer at once. */
  concurrentMax(): number;
  /** `reset` resets instead of answering, `half body` ends the connection in the middle of an answer. */
  break(how: 'reset' | 'half body' | undefined): void;
  /** Ends every session that is open. */
  cut(): void;
  close(): Promise<void>;
}

/** @param table whose name marks a read in the bytes that a client sends */
export async function startSqlGate(host: string, port: number, table: string): Promise<SqlGate> {
  const sockets = new Set<Socket>();
  const busy = new Set<Socket>();
  let reads = 0;
  let concurrentMax = 0;
  let broken: 'reset' | 'half body' | undefined;

  const server = createServer((inner) => {
    const outer = connect(port, host);
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        busy.delete(one);
        other.destroy();
      });
    }
    inner.on('data', (chunk) => {
      if (broken === 'reset') return void inner.resetAndDestroy();
      if (chunk.includes(table)) {
        reads += 1;
        busy.add(inner);
        concurrentMax = Math.max(concurrentMax, busy.size);
      }
      outer.write(chunk);
    });
    outer.on('data', (chunk: Buffer) => {
      busy.delete(inner);
      if (broken === 'half body') inner.end(chunk.subarray(0, Math.floor(chunk.length / 2)));
      else inner.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    reads: () => reads,
    concurrentMax: () => concurrentMax,
    break(how) {
      broken = how;
    },
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
