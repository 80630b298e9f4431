import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HubError } from '@weft/core/errors';
import { Pool } from 'undici';
import { describe, expect, it } from 'vitest';
import { exchange } from './exchange.ts';

const context = { system: 'hotline', source: 'hotline', operation: 'GET /orders' };

describe('an exchange that the pool gives up before its caller does', () => {
  it.each([
    ['before the head of the answer', false],
    ['within its body', true],
  ])('%s is too late, and not away or broken', async (_when, hasHead) => {
    const server = createServer((_request, response) => {
      if (hasHead) response.write('[');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const pool = new Pool(`http://127.0.0.1:${port}`, { headersTimeout: 200, bodyTimeout: 200 });
    try {
      const request = { method: 'GET', path: '/orders', headers: {}, body: undefined } as const;
      const limits = { signal: new AbortController().signal, responseBytesMax: 1_000 };
      const thrown = await exchange(pool, request, limits, context).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(HubError);
      expect(thrown).toMatchObject({ code: 'DEADLINE_EXCEEDED', system: 'hotline', hadNoEffect: false });
    } finally {
      await pool.destroy();
      server.closeAllConnections();
      server.close();
    }
  });
});
