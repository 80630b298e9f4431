// Buffers that bodies are written from, used again: a text handed to a socket as it is is copied twice, once within the heap.

/** Memory that one answer is written into. */
const BUFFER_BYTES = 262_144;
/** That wait for the next answer: few answers are on their way into the kernel at one moment. */
const FREE_MAX = 16;
/** A shorter text is as quick by itself. */
const CHARS_MIN = 8_192;

const free: Buffer[] = [];

/** Bytes of an answer, in memory that is given back. */
export interface Borrowed {
  readonly bytes: Buffer;
  /** After the kernel has them, and not before; never for what was not sent whole. */
  giveBack(): void;
}

/** Undefined for a text that is too short, too long, or not ASCII alone. @param byteLength of the text in UTF-8 */
export function borrowAscii(text: string, byteLength: number): Borrowed | undefined {
  if (byteLength !== text.length || byteLength < CHARS_MIN || byteLength > BUFFER_BYTES) return undefined;
  const buffer = free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  buffer.write(text, 0, byteLength, 'latin1');
  return {
    bytes: buffer.subarray(0, byteLength),
    giveBack: () => {
      if (free.length < FREE_MAX) free.push(buffer);
    },
  };
}
