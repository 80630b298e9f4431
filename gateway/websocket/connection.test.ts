import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { Connection, cutCloseReason } from './connection.ts';
import { NextFrames, nextPrefix } from './frames.ts';

/** A connection of so many operations, what its stream was given, and what was done to its socket. */
function openConnection(operations: number, take?: (chunk: Buffer, done: () => void) => void) {
  const seen: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (take !== undefined) return take(chunk, done);
      if (chunk.length > 0) seen.push(chunk.toString());
      done();
    },
  });
  const socket = {
    readyState: 1,
    OPEN: 1,
    close: (code: number) => void seen.push(`close ${code}`),
  };
  const connection = new Connection(socket as unknown as WebSocket, stream as never, {}, '127.0.0.1');
  const told = { flushed: 0 };
  for (let number = 0; number < operations; number += 1) {
    const flushed = () => {
      told.flushed += 1;
    };
    connection.add(String(number), { stop: () => undefined, flushed, isLive: true });
  }
  return { connection, seen, socket, told };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('frames of one connection', () => {
  it('leave at once where it has one operation', () => {
    const { connection, seen } = openConnection(1);
    connection.write(Buffer.from('a'));
    expect(seen).toEqual(['a']);
    connection.write(Buffer.from('b'));
    expect(seen).toEqual(['a', 'b']);
  });

  it('leave in one go at the end of a turn where it has several, and count as waiting until then', async () => {
    const { connection, seen } = openConnection(3);
    for (const text of ['a', 'b', 'c']) connection.write(Buffer.from(text));
    expect(seen).toEqual([]);
    expect(connection.bufferedBytes).toBe(3);
    await turn();
    expect(seen).toEqual(['abc']);
    expect(connection.bufferedBytes).toBe(0);
    connection.write(Buffer.from('d'));
    await turn();
    expect(seen).toEqual(['abc', 'd']);
  });

  it('do not wait beyond a bound', () => {
    const { connection, seen } = openConnection(2);
    const text = 'x'.repeat(40_000);
    connection.write(Buffer.from(text));
    expect(seen).toEqual([]);
    connection.write(Buffer.from(text));
    expect(seen).toEqual([text + text]);
  });

  it('leave before the close, and before what is written when one operation is left', async () => {
    const { connection, seen } = openConnection(2);
    connection.write(Buffer.from('a'));
    connection.close(1000);
    expect(seen).toEqual(['a', 'close 1000']);
    const left = openConnection(1);
    const other = { stop: () => undefined, flushed: () => undefined, isLive: true };
    left.connection.add('other', other);
    left.connection.write(Buffer.from('a'));
    left.connection.remove('other', other);
    left.connection.write(Buffer.from('b'));
    await turn();
    expect(left.seen).toEqual(['a', 'b']);
  });

  it('are told to be gone when they are, and are dropped when the socket is', async () => {
    const { connection, seen, socket, told } = openConnection(2);
    connection.write(Buffer.from('a'));
    await connection.flushed();
    expect(seen).toEqual(['a']);
    expect(told.flushed).toBe(2);
    connection.write(Buffer.from('b'));
    socket.readyState = 3;
    await turn();
    expect(seen).toEqual(['a']);
    expect(connection.bufferedBytes).toBe(0);
  });
});

describe('frames that the kernel has not taken', () => {
  /** What a stream that takes nothing until `take` holds. */
  function openSlow(operations: number) {
    const waiting: (() => void)[] = [];
    const { connection, seen } = openConnection(operations, (chunk, done) => {
      waiting.push(() => {
        seen.push(chunk.toString('latin1'));
        done();
      });
    });
    const take = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        next();
        await turn();
      }
    };
    return { connection, seen: () => seen.filter((text) => text.length > 0), take };
  }

  const payloadOf = (value: string) => ({
    json: () => JSON.stringify(value),
    cursor: () => undefined,
    length: 1,
  });

  it.each([1, 2])(
    'stay as they are while others are written, on a socket of %d operations',
    async (operations) => {
      const frames = new NextFrames();
      const [slow, quick] = [openSlow(operations), openConnection(operations)];
      const values = ['a', 'b', 'c', 'd'];
      for (const [index, value] of values.entries()) {
        slow.connection.writeNext(frames, [payloadOf(value.repeat(9))], '', nextPrefix(`s${index}`));
        quick.connection.writeNext(frames, [payloadOf(value.repeat(9))], '', nextPrefix(`q${index}`));
        await turn();
      }
      await slow.take();
      const told = (texts: readonly string[]) =>
        [...texts.join('').matchAll(/"id":"(..)".*?"payload":"(.)/g)].map(([, id, of]) => `${id}${of}`);
      expect(told(slow.seen())).toEqual(['s0a', 's1b', 's2c', 's3d']);
      expect(told(quick.seen)).toEqual(['q0a', 'q1b', 'q2c', 'q3d']);
    },
  );
});

describe('the reason of a close frame', () => {
  it('has at most 123 bytes', () => {
    expect(cutCloseReason('x'.repeat(123))).toBe('x'.repeat(123));
    expect(cutCloseReason('x'.repeat(124))).toBe('x'.repeat(123));
    expect(cutCloseReason('')).toBe('');
  });

  it('is never cut in the middle of a character', () => {
    expect(cutCloseReason(`x${'长'.repeat(50)}`)).toBe(`x${'长'.repeat(40)}`);
    expect(cutCloseReason('😀'.repeat(50))).toBe('😀'.repeat(30));
  });
});
