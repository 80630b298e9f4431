import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readUpConfig } from './config.ts';
import { settlePort } from './up.ts';

describe('the port of the hub', () => {
  it('is known before the gateway listens, when any free one will do: webhooks and the city ask it there', async () => {
    const { PORT } = await settlePort(readUpConfig({ PORT: '0' }, []));
    expect(PORT).toBeGreaterThan(0);
  });

  it('is refused by name when somebody listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(settlePort(readUpConfig({ PORT: String(port) }, []))).rejects.toThrow(
      `port ${port} is in use`,
    );
    await new Promise((resolve) => server.close(resolve));
  });
});
