// RFC 6455 as far as the bench needs it: text frames of one piece, and a server's frames found without reading their JSON.

export const OPCODES = { text: 1, close: 8, ping: 9 } as const;

const LENGTH_7_MAX = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const LENGTH_16_MAX = 65_535;

const IS_MASKED = 0x80;
/** A mask of zero is allowed on the wire and costs nothing. */
const NO_MASK = Buffer.alloc(4);

/** As a client sends it: masked. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = textHead(payload.length);
  head[1] = IS_MASKED | (head[1] ?? 0);
  return Buffer.concat([head, NO_MASK, payload]);
}

/** As a server sends it. */
export function serverFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([textHead(payload.length), payload]);
}

function textHead(length: number): Buffer {
  const head = Buffer.alloc(length <= LENGTH_7_MAX ? 2 : length <= LENGTH_16_MAX ? 4 : 10);
  head[0] = 0x80 | OPCODES.text;
  head[1] = head.length === 2 ? length : head.length === 4 ? LENGTH_16 : LENGTH_64;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** The answer to a ping, without its payload. */
export const PONG_FRAME = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/**
 * Calls `onFrame` for every frame of a server that is whole.
 * @returns where the first one begins that is not: the rest is to be kept and given again with what follows
 */
export function readFrames(
  bytes: Buffer,
  begin: number,
  end: number,
  onFrame: (opcode: number, start: number, stop: number) => void,
): number {
  let at = begin;
  while (end - at >= 2) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const start = at + (short === LENGTH_16 ? 4 : short === LENGTH_64 ? 10 : 2);
    if (start > end) return at;
    const length =
      short === LENGTH_16
        ? bytes.readUInt16BE(at + 2)
        : short === LENGTH_64
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short;
    if (start + length > end) return at;
    onFrame((bytes[at] ?? 0) & 0x0f, start, start + length);
    at = start + length;
  }
  return at;
}
