// A body above the limit whose client is still sending: it reads why it is refused, and one without end is cut off.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import { HTTP_LIMITS } from '@weft/gateway/http/limits';
import { startGateway } from '@weft/gateway/start';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeOrThrow } from './library-gateway.ts';
import { type Library, startLibrary } from './library-graph.ts';

const CHUNK = Buffer.alloc(65_536, 'x');
/** Of the catalogue's R08, and whole chunks. */
const BODY_BYTES = CHUNK.length * 160;
/** What stands in buffers on the way beside what was taken. */
const BUFFERED_BYTES_MAX = 32_000_000;

let library: Library;
let gateway: Started;
let folder: string;
let address: URL;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-refused-'));
  library = await startLibrary();
  const supergraphFile = join(folder, 'supergraph.graphql');
  writeFileSync(supergraphFile, composeOrThrow(library.all));
  gateway = await startGateway({
    config: readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: supergraphFile }),
    logger: createLogger('test', 'silent'),
  });
  address = new URL(gateway.urls.graphql ?? '');
});
afterAll(async () => {
  await gateway?.close();
  await library?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Looks at the answer only when it has sent everything, as simple clients do. */
async function sendAll(head: string, framed: (chunk: Buffer) => Buffer, last: string): Promise<string> {
  const socket = connect(Number(address.port), address.hostname);
  const closed = Promise.withResolvers<void>();
  socket.on('close', () => closed.resolve());
  let thrown: Error | undefined;
  socket.on('error', (error) => {
    thrown = error;
  });
  const write = (bytes: Buffer | string) => new Promise<unknown>((resolve) => socket.write(bytes, resolve));
  socket.pause();
  await write(`POST /graphql HTTP/1.1\r\nhost: ${address.host}\r\nconnection: close\r\n${head}\r\n\r\n`);
  for (let sent = 0; sent < BODY_BYTES; sent += CHUNK.length) {
    await write(framed(CHUNK));
    // The network is not as quick as this machine.
    if (sent % (CHUNK.length * 16) === 0) await wait(5);
  }
  await write(last);
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.resume();
  await closed.promise;
  if (thrown !== undefined) throw thrown;
  return text;
}

const inChunks = (chunk: Buffer) =>
  Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
const JSON_HEAD = 'content-type: application/json';

describe('a body above the limit', () => {
  it.each([
    ['announced', `${JSON_HEAD}\r\ncontent-length: ${BODY_BYTES}`, (chunk: Buffer) => chunk, ''],
    ['in chunks', `${JSON_HEAD}\r\ntransfer-encoding: chunked`, inChunks, '0\r\n\r\n'],
  ])('is answered 413, %s, though the client is still sending', async (_name, head, framed, last) => {
    for (let turn = 0; turn < 5; turn += 1) {
      const answer = await sendAll(head, framed, last);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).errors).toMatchObject([
        { extensions: { code: 'LIMIT_EXCEEDED', limit: 'bodyBytesMax' } },
      ]);
    }
  });

  it('is cut off when it goes on', async () => {
    const socket = connect(Number(address.port), address.hostname);
    socket.on('error', () => undefined);
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    socket.resume();
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${address.host}\r\n${JSON_HEAD}\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    const bytesMax = HTTP_LIMITS.bodyBytesMax + HTTP_LIMITS.refusedBytesMax + BUFFERED_BYTES_MAX;
    let sent = 0;
    for (; !isClosed && sent <= bytesMax; sent += CHUNK.length)
      // The gateway is in this process, and wants its turn.
      await new Promise<unknown>((resolve) => socket.write(inChunks(CHUNK), () => setImmediate(resolve)));
    expect(sent).toBeLessThanOrEqual(bytesMax);
    expect(sent).toBeGreaterThan(HTTP_LIMITS.refusedBytesMax);
    await expect.poll(() => isClosed).toBe(true);
  });
});
