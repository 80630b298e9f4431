import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { refusePort } from './refused-port.ts';

it('refuses who connects to a port that was listened on, until it is released', async () => {
  const first = createServer((socket) => void socket.end()).listen(0, '127.0.0.1');
  await once(first, 'listening');
  const { port } = first.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.destroy();
  first.close();
  await once(first, 'close');
  for (let turn = 0; turn < 3; turn += 1) {
    const refused = await refusePort(port);
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    await refused.release();
  }
  const again = createServer().listen(port, '127.0.0.1');
  await once(again, 'listening');
  again.close();
});
