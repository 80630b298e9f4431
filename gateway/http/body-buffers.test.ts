// What one client is sent is never written over by what another one is sent, however slowly they read.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { borrowAscii } from './body-buffers.ts';
import { openDirectDoor } from './direct-door.ts';

const PATH = '/graphql';
const ANSWER_CHARS = 250_000;
const PIPELINED = 40;
const BODY = '\r\n\r\n';

let server: Server | undefined;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.closeAllConnections();
  server?.close();
});

/** Answers the character that it is sent, many times. */
async function startServer(): Promise<number> {
  server = createServer(() => undefined);
  openDirectDoor(server, {
    path: PATH,
    answer: async (_request, reply, body) => reply.send(body.repeat(ANSWER_CHARS)),
    onBroken: () => undefined,
    isLeaving: () => false,
    limits: { headersMax: 100, bodyBytesMax: 1_000 },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Asks for many answers at once and reads none of them. */
async function openClient(port: number, character: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  const request = `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n${character}`;
  socket.write(request.repeat(PIPELINED));
  return socket;
}

/** The bodies of all the answers. */
async function readBodies(socket: Socket): Promise<readonly string[]> {
  const parts: string[] = [];
  let chars = 0;
  let length: number | undefined;
  socket.setEncoding('latin1');
  for await (const part of socket) {
    parts.push(part);
    chars += part.length;
    if (length === undefined) {
      const head = parts.join('').indexOf(BODY);
      // All answers have heads of one length.
      if (head > 0) length = PIPELINED * (head + BODY.length + ANSWER_CHARS);
    }
    if (chars === length) break;
  }
  return parts
    .join('')
    .split('HTTP/1.1 200 OK')
    .slice(1)
    .map((answer) => answer.slice(answer.indexOf(BODY) + BODY.length));
}

it('keeps what waits for a client that reads slowly, and what another broke off', async () => {
  const port = await startServer();
  const slow = await Promise.all(['a', 'b', 'c'].map((character) => openClient(port, character)));
  const leaving = await openClient(port, 'd');
  await sleep(100);
  leaving.destroy();
  const quick = await Promise.all(['e', 'f'].map((character) => openClient(port, character)));
  for (const [index, socket] of [...quick, ...slow].entries()) {
    const character = 'efabc'[index] ?? '';
    const bodies = await readBodies(socket);
    expect(bodies).toHaveLength(PIPELINED);
    const whole = character.repeat(ANSWER_CHARS);
    expect(bodies.every((body) => body === whole)).toBe(true);
  }
});

it('is for text that is the same bytes in both encodings, and neither short nor long', () => {
  expect(borrowAscii('a'.repeat(10_000), 10_000)?.bytes.toString()).toBe('a'.repeat(10_000));
  expect(borrowAscii('ä'.repeat(10_000), 20_000)).toBeUndefined();
  expect(borrowAscii('a', 1)).toBeUndefined();
  expect(borrowAscii('a'.repeat(10_000_000), 10_000_000)).toBeUndefined();
});

it('gives the same memory to the next answer', () => {
  const first = borrowAscii('a'.repeat(10_000), 10_000);
  first?.giveBack();
  const second = borrowAscii('b'.repeat(10_000), 10_000);
  expect(second?.bytes.buffer).toBe(first?.bytes.buffer);
});
