import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ContentCoding, type Inflated, inflate, readContentCoding } from './content-coding.ts';

const TEXT = Buffer.from('{"data":{"name":"经纬"}}');

function inflated(coding: Exclude<ContentCoding, 'identity'>, bytes: Buffer, max = 1_000): Promise<Inflated> {
  return new Promise((resolve) => inflate(coding, bytes, max, resolve));
}

describe('a content coding', () => {
  it('is one of the known, in any case, and none by default', () => {
    expect(readContentCoding(undefined)).toBe('identity');
    expect(readContentCoding(' GZip ')).toBe('gzip');
    expect(readContentCoding('br')).toBe('br');
  });

  it('is refused when it is a chain, a repeated header or unknown', () => {
    for (const header of ['gzip, gzip', 'gzip,', ['gzip', 'gzip'], 'zstd', 'constructor', '__proto__'])
      expect(readContentCoding(header)).toBeUndefined();
  });

  it.each([
    ['gzip', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['deflate', deflateRawSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
  ] as const)('inflates %s', async (coding, bytes) => {
    expect(await inflated(coding, bytes)).toEqual({ kind: 'bytes', bytes: TEXT });
  });

  it('stops a bomb at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    expect(bomb.length).toBeLessThan(6_000);
    expect(await inflated('gzip', bomb, 100_000)).toEqual({ kind: 'too-large' });
  });

  it('says when the bytes are damaged or cut short', async () => {
    expect(await inflated('gzip', Buffer.from('x'))).toEqual({ kind: 'damaged' });
    expect(await inflated('br', brotliCompressSync(TEXT).subarray(0, 5))).toEqual({ kind: 'damaged' });
  });
});
