// HMAC (RFC 2104) and SM3 (GB/T 32905-2016) written out from their standards, to judge the hub's signatures by.
import { createHash } from 'node:crypto';

const BLOCK_BYTES = 64;

export function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

/** HMAC over `data`, made of the hash alone. */
export function hmac(hash: (data: Buffer) => Buffer, key: Buffer, data: Buffer): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  (key.length > BLOCK_BYTES ? hash(key) : key).copy(block);
  const pad = (byte: number) => Buffer.from(block.map((value) => value ^ byte));
  return hash(Buffer.concat([pad(0x5c), hash(Buffer.concat([pad(0x36), data]))]));
}

const IV = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
] as const;

function rotate(word: number, bits: number): number {
  const by = bits % 32;
  return by === 0 ? word >>> 0 : ((word << by) | (word >>> (32 - by))) >>> 0;
}

/** GB/T 32905-2016 section 5. */
export function sm3(data: Buffer): Buffer {
  const zeros = (((55 - data.length) % 64) + 64) % 64;
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(data.length) * 8n);
  const padded = Buffer.concat([data, Buffer.from([0x80]), Buffer.alloc(zeros), length]);
  let state: readonly number[] = IV;
  for (let at = 0; at < padded.length; at += BLOCK_BYTES)
    state = compress(state, padded.subarray(at, at + 64));
  const out = Buffer.alloc(32);
  state.forEach((word, index) => {
    out.writeUInt32BE(word, index * 4);
  });
  return out;
}

function compress(state: readonly number[], block: Buffer): readonly number[] {
  const w: number[] = [];
  const word = (index: number) => w[index] ?? 0;
  for (let j = 0; j < 68; j += 1) {
    if (j < 16) w.push(block.readUInt32BE(j * 4));
    else {
      const x = word(j - 16) ^ word(j - 9) ^ rotate(word(j - 3), 15);
      w.push((x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(word(j - 13), 7) ^ word(j - 6)) >>> 0);
    }
  }
  let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
  for (let j = 0; j < 64; j += 1) {
    const t = j < 16 ? 0x79cc4519 : 0x7a879d8a;
    const ss1 = rotate((rotate(a, 12) + e + rotate(t, j)) >>> 0, 7);
    const ss2 = (ss1 ^ rotate(a, 12)) >>> 0;
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + ss2 + ((word(j) ^ word(j + 4)) >>> 0)) >>> 0;
    const tt2 = (gg + h + ss1 + word(j)) >>> 0;
    [d, c, b, a] = [c, rotate(b, 9), a, tt1];
    [h, g, f, e] = [g, rotate(f, 19), e, (tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17)) >>> 0];
  }
  return [a, b, c, d, e, f, g, h].map((value, index) => (value ^ (state[index] ?? 0)) >>> 0);
}
