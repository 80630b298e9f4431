// A port on which nobody listens, and which nobody gets: a server of another test may listen on one that was just left, and be silent.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface RefusedPort {
  /** The port may be listened on again. */
  release(): Promise<void>;
}

/**
 * Binds the port of 127.0.0.1 to a connection of our own: the system gives it to no other, and refuses who connects to it.
 * Rejects with EADDRINUSE when somebody has it already.
 */
export async function refusePort(port: number): Promise<RefusedPort> {
  const peer = createServer().listen(0, '127.0.0.1');
  await once(peer, 'listening');
  const socket = connect({
    port: (peer.address() as AddressInfo).port,
    host: '127.0.0.1',
    localAddress: '127.0.0.1',
    localPort: port,
  });
  const [other] = (await Promise.all([once(peer, 'connection'), once(socket, 'connect')]))[0];
  return {
    async release() {
      other.on('error', () => undefined);
      // Without a farewell, after which the port would be kept for a minute.
      socket.resetAndDestroy();
      other.destroy();
      peer.close();
      await once(peer, 'close');
    },
  };
}
