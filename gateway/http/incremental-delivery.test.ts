// Laws of sending parts to a client that does not read, and of what Accept means for them.
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import type { SubsequentResult } from '../engine.ts';
import { negotiateIncremental, sendParts } from './incremental-delivery.ts';

const PART = { incremental: [{ path: [], data: { text: 'x'.repeat(100_000) } }], hasNext: true };

describe('sendParts', () => {
  it('cuts a client off that takes no part for the time-out, and asks for no more parts', async () => {
    let made = 0;
    let isReturned = false;
    async function* parts(): AsyncGenerator<SubsequentResult, void, undefined> {
      try {
        for (; made < 10_000; made += 1) yield PART;
      } finally {
        isReturned = true;
      }
    }
    const app = Fastify();
    const ended = Promise.withResolvers<void>();
    app.get('/', (_request, reply) =>
      sendParts(
        reply,
        'multipart/mixed',
        { initial: { data: {}, hasNext: true }, subsequent: parts() },
        200,
        ended.resolve,
      ),
    );
    await app.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    await ended.promise;
    expect(isReturned).toBe(true);
    expect(made).toBeLessThan(1_000);
    socket.destroy();
    await app.close();
  });
});

describe('negotiateIncremental', () => {
  it.each([
    [undefined, undefined],
    ['application/json', undefined],
    ['*/*', undefined],
    ['multipart/mixed;deferSpec=20220824, application/json', 'multipart/mixed'],
    ['multipart/mixed;deferSpec="20220824"', 'multipart/mixed'],
    ['multipart/mixed;deferSpec=20991231', undefined],
    ['multipart/mixed;q=0', undefined],
    ['text/event-stream', 'text/event-stream'],
    ['application/json, multipart/mixed;q=0.5', undefined],
    ['text/event-stream, multipart/mixed', 'text/event-stream'],
    ['text/event-stream;q=0.8, multipart/mixed;q=0.9', 'multipart/mixed'],
  ])('takes %s for %s', (accept, type) => {
    expect(negotiateIncremental(accept)).toBe(type);
  });
});
