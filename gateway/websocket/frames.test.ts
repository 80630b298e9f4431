// The frames as an independent reader of RFC 6455 has them.
import { describe, expect, it } from 'vitest';
import * as library from 'ws';
import type { LivePayload } from '../subscribe/sink.ts';
import { NextFrames, nextPrefix, textFrame } from './frames.ts';

/** Exported, and not in the types. */
interface Receiver {
  on(event: 'message', listener: (data: Buffer) => void): void;
  write(bytes: Buffer): void;
}
const { Receiver } = library as unknown as { readonly Receiver: new () => Receiver };

interface Told extends LivePayload {
  asked: number;
}

function payloadOf(value: unknown): Told {
  return {
    asked: 0,
    json(mark) {
      this.asked += 1;
      return JSON.stringify({ value, mark });
    },
    cursor: () => undefined,
    length: 1,
  };
}

/** The messages that a client finds in the bytes. */
function read(bytes: Buffer): readonly string[] {
  const messages: string[] = [];
  const receiver = new Receiver();
  receiver.on('message', (data: Buffer) => messages.push(data.toString()));
  receiver.write(bytes);
  return messages;
}

describe('frames of `next` messages', () => {
  it('are one behind the other, each whole, whatever their lengths', () => {
    const values = ['short', '中'.repeat(50), 'x'.repeat(300), 'y'.repeat(70_000), 'last'];
    const frames = new NextFrames();
    const bytes = frames.framesOf(values.map(payloadOf), 'm', nextPrefix('编号"1'));
    expect(read(bytes).map((message) => JSON.parse(message))).toEqual(
      values.map((value) => ({ id: '编号"1', type: 'next', payload: { value, mark: 'm' } })),
    );
  });

  it('are made once for all of equal payloads, mark and id, and text once for equal payloads and mark', () => {
    const frames = new NextFrames();
    const payloads = [payloadOf(1), payloadOf(2)];
    const first = frames.framesOf(payloads, 'm', nextPrefix('1'));
    expect(frames.framesOf([...payloads], 'm', nextPrefix('1'))).toBe(first);
    const other = frames.framesOf(payloads, 'm', nextPrefix('2'));
    expect(read(other).map((message) => JSON.parse(message).id)).toEqual(['2', '2']);
    expect(payloads.map(({ asked }) => asked)).toEqual([1, 1]);
    expect(
      read(frames.framesOf(payloads, 'n', nextPrefix('2'))).map((text) => JSON.parse(text).payload.mark),
    ).toEqual(['n', 'n']);
    expect(read(frames.framesOf(payloads.slice(0, 1), 'n', nextPrefix('2')))).toHaveLength(1);
  });
});

describe('a text frame', () => {
  it.each([0, 125, 126, 65_535, 65_536])('of %d bytes is read as it was written', (length) => {
    expect(read(textFrame('a'.repeat(length)))).toEqual(['a'.repeat(length)]);
  });
});
