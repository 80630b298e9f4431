import { describe, expect, it } from 'vitest';
import { clientFrame, readFrames, serverFrame } from './frames.ts';

function textsIn(bytes: Buffer): { texts: string[]; rest: number } {
  const texts: string[] = [];
  const rest = readFrames(bytes, 0, bytes.length, (_, start, stop) =>
    texts.push(bytes.toString('utf8', start, stop)),
  );
  return { texts, rest };
}

describe('frames from a server', () => {
  const texts = ['short', '中文', 'x'.repeat(200), 'y'.repeat(70_000), ''];
  const all = Buffer.concat(texts.map(serverFrame));

  it('are read whole, whatever their length', () => {
    expect(textsIn(all)).toEqual({ texts, rest: all.length });
  });

  it('are left where they begin until they are whole, wherever they were cut', () => {
    const two = Buffer.concat([serverFrame('one'), serverFrame('z'.repeat(300))]);
    for (let cut = 0; cut < two.length; cut++) {
      const { texts: found, rest } = textsIn(two.subarray(0, cut));
      expect(found).toEqual(cut < 5 ? [] : ['one']);
      expect(rest).toBe(cut < 5 ? 0 : 5);
    }
  });
});

describe('a frame to a server', () => {
  it('is masked, whole and of the length that it says', () => {
    expect([...clientFrame('ab')]).toEqual([0x81, 0x82, 0, 0, 0, 0, 97, 98]);
    expect([...clientFrame('a'.repeat(300)).subarray(0, 9)]).toEqual([0x81, 0xfe, 1, 44, 0, 0, 0, 0, 97]);
  });
});
