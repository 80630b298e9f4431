import { type AddressInfo, connect, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReadyServer, frameResponse } from './ready-http.ts';

let server: Server;
let asked: string[];
beforeEach(async () => {
  asked = [];
  server = createReadyServer((method, path, body) => {
    asked.push(`${method} ${path} ${body}`);
    return frameResponse('"ok"');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => void server.close());

/** Sends the pieces one after the other, each once the one before has left, and reads `answers` answers. */
async function send(pieces: readonly string[]): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.setNoDelay(true);
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  socket.end();
  return text(socket);
}

const CHUNKED = 'POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
const SIZED = 'POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello';

describe('the ready server', () => {
  it('reads bodies with a length and in chunks, one request after the other on one connection', async () => {
    const answers = await send([SIZED + CHUNKED + SIZED]);
    expect(asked).toEqual(['POST /a hello', 'POST /b abcde', 'POST /a hello']);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  });

  it('waits for the rest of a request wherever it was cut', async () => {
    for (let cut = 1; cut < CHUNKED.length; cut++) await send([CHUNKED.slice(0, cut), CHUNKED.slice(cut)]);
    expect(asked).toEqual(Array(CHUNKED.length - 1).fill('POST /b abcde'));
  });
});
