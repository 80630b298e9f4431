// The program with the four subgraphs.
import type { AddressInfo } from 'node:net';
import { runProcess } from '@weft/core/process';
import { createEndpoints } from './endpoints.ts';
import { createReadyServer } from './ready-http.ts';

await runProcess('bench subgraphs', async () => {
  const server = createReadyServer(createEndpoints().answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Gateways keep their connections: the process ends when it is told to, without waiting for them.
  return { urls: { subgraphs: origin }, close: () => new Promise((resolve) => resolve(void server.close())) };
});
