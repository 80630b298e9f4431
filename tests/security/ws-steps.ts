// Plays the steps of a WebSocket attack of the catalogue, and notes what came back and how the socket ended.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { resolve } from './payloads.ts';

export interface WsAttack {
  readonly subprotocol: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sockets that do the same at the same time. */
  readonly connections?: number;
  readonly steps: readonly Step[];
}

/** One key each: see `PLAYS`. */
type Step = Readonly<Record<string, unknown>>;

export interface WsOutcome {
  /** Of the upgrade, where it was refused. */
  readonly upgradeStatus: number | undefined;
  /** Undefined while the socket is open. */
  readonly closeCode: number | undefined;
  readonly closeReason: string;
  /** From the open socket to its end. */
  readonly closedAfterMs: number;
  /** Texts of the frames that came. */
  readonly frames: readonly string[];
}

interface Played {
  readonly socket: WebSocket;
  readonly stream: Duplex;
  readonly frames: string[];
  readonly closed: Promise<unknown>;
}

const FRAME_MS_MAX = 10_000;
const CLOSE_MS_MAX = 5_000;

/** Plays all steps, or as far as the socket lives; then closes it if it is still open. */
export async function playAttack(
  url: string,
  { subprotocol, headers = {}, steps }: WsAttack,
): Promise<WsOutcome> {
  const socket = new WebSocket(url, [subprotocol], { headers, perMessageDeflate: false });
  const frames: string[] = [];
  let upgradeStatus: number | undefined;
  let ended: { readonly code: number; readonly reason: string; readonly atMs: number } | undefined;
  socket.on('message', (data) => frames.push(String(data)));
  // The close that follows says what is to be known.
  socket.on('error', () => undefined);
  socket.on('unexpected-response', (request, response) => {
    upgradeStatus = response.statusCode;
    request.destroy();
    socket.terminate();
  });
  const closed = new Promise<void>((done) => {
    socket.once('close', (code, reason) => {
      ended = { code, reason: String(reason), atMs: performance.now() };
      done();
    });
  });
  await Promise.race([once(socket, 'open').catch(() => undefined), closed]);
  const openedAtMs = performance.now();
  if (socket.readyState === WebSocket.OPEN) {
    // Bytes that no client library would write go past it.
    const stream = (socket as unknown as { readonly _socket: Duplex })._socket;
    for (const step of steps) {
      if (ended !== undefined) break;
      await playStep({ socket, stream, frames, closed }, step);
    }
    await Promise.race([closed, wait(100)]);
  }
  const { code, reason, atMs } = ended ?? { code: undefined, reason: '', atMs: performance.now() };
  socket.terminate();
  await Promise.race([closed, wait(CLOSE_MS_MAX)]);
  return { upgradeStatus, closeCode: code, closeReason: reason, closedAfterMs: atMs - openedAtMs, frames };
}

const textOf = (message: unknown): string => JSON.stringify(withPayloads(message));

/** Generators may stand anywhere in a message. */
function withPayloads(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPayloads);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.some(([key]) => key.startsWith('$'))) return resolve(value);
  return Object.fromEntries(entries.map(([key, item]) => [key, withPayloads(item)]));
}

type Play = (played: Played, argument: never) => Promise<unknown> | unknown;

const PLAYS: Readonly<Record<string, Play>> = {
  send: ({ socket }, message: unknown) => socket.send(textOf(message)),
  sendText: ({ socket }, text: unknown) => socket.send(String(resolve(text))),
  sendBinary: ({ socket }, bytes: unknown) => socket.send(resolve(bytes) as Buffer, { binary: true }),
  sleep: ({ closed }, ms: number) => Promise.race([closed, wait(ms)]),
  wait: async ({ frames, closed }, type: string) => {
    const until = performance.now() + FRAME_MS_MAX;
    while (!frames.some((frame) => frame.includes(`"${type}"`)) && performance.now() < until)
      await Promise.race([closed, wait(10)]);
  },
  repeat: ({ socket }, { n, msg }: { readonly n: number; readonly msg: unknown }) => {
    const text = textOf(msg);
    for (let count = 0; count < n; count += 1) socket.send(text);
  },
  pauseReads: async ({ stream, closed }, ms: number) => {
    stream.pause();
    await Promise.race([closed, wait(ms)]);
    stream.resume();
    await Promise.race([closed, wait(CLOSE_MS_MAX)]);
  },
  rawHex: ({ stream }, hex: string) => stream.write(Buffer.from(hex, 'hex')),
  rawFragments: ({ stream }, count: number) => stream.write(unfinishedFragments(count)),
  churn: async ({ socket }, { n, query }: { readonly n: number; readonly query: string }) => {
    for (let count = 0; count < n; count += 1) {
      socket.send(JSON.stringify({ id: `${count}`, type: 'subscribe', payload: { query } }));
      socket.send(JSON.stringify({ id: `${count}`, type: 'complete' }));
      if (count % 100 === 99) await wait(1);
    }
  },
};

async function playStep(played: Played, step: Step): Promise<void> {
  for (const [name, argument] of Object.entries(step)) {
    const play = PLAYS[name];
    if (play === undefined) throw new Error(`the step ${name} is not known`);
    await play(played, argument as never);
  }
}

/** A text frame that is not final and continuations without end, one masked byte each (RFC 6455 5.4). */
function unfinishedFragments(count: number): Buffer {
  const [text, continuation] = [0x01, 0x00];
  const frame = (opcode: number) => Buffer.from([opcode, 0x81, 0, 0, 0, 0, 0x61]);
  return Buffer.concat([frame(text), ...Array.from({ length: count - 1 }, () => frame(continuation))]);
}
