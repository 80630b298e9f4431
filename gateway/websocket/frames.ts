// Text frames of a server: RFC 6455, 5.2. Written here, since one text is sent to thousands.
import type { LivePayload } from '../subscribe/sink.ts';

const FINAL_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const SHORT_MAX = 125;
const BYTES_16_MAX = 0xffff;
const HEADER_BYTES_MAX = 10;

function headerBytes(payloadBytes: number): number {
  if (payloadBytes <= SHORT_MAX) return 2;
  return payloadBytes <= BYTES_16_MAX ? 4 : HEADER_BYTES_MAX;
}

/** A frame with its header, and room for the payload from the returned place on. */
function openFrame(payloadBytes: number): { readonly frame: Buffer; readonly at: number } {
  const at = headerBytes(payloadBytes);
  const frame = Buffer.allocUnsafe(at + payloadBytes);
  frame[0] = FINAL_TEXT;
  if (at === 2) frame[1] = payloadBytes;
  else if (at === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(payloadBytes, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(payloadBytes), 2);
  }
  return { frame, at };
}

/** One message, whole. */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const { frame, at } = openFrame(bytes);
  frame.write(text, at, 'utf8');
  return frame;
}

/** The start of every `next` message of an operation. */
export function nextPrefix(id: string): string {
  return `{"id":${JSON.stringify(id)},"type":"next","payload":`;
}

const CLOSING_BRACE = 0x7d;

/**
 * Writes `next` messages. A payload is encoded once for all of equal mark that follow each other, and a frame is shared by
 * all of these whose ids are equal too: a group is served in one go.
 */
export class NextFrames {
  #payload: LivePayload | undefined;
  #mark = '';
  #body: Buffer = Buffer.alloc(0);
  #prefix = '';
  #frame: Buffer | undefined;

  frameOf(payload: LivePayload, cursorMark: string, prefix: string): Buffer {
    if (payload !== this.#payload || cursorMark !== this.#mark) {
      this.#payload = payload;
      this.#mark = cursorMark;
      this.#body = Buffer.from(payload.json(cursorMark));
      this.#frame = undefined;
    }
    if (this.#frame !== undefined && prefix === this.#prefix) return this.#frame;
    const body = this.#body;
    const prefixBytes = Buffer.byteLength(prefix);
    const { frame, at } = openFrame(prefixBytes + body.length + 1);
    frame.write(prefix, at, 'utf8');
    body.copy(frame, at + prefixBytes);
    frame[frame.length - 1] = CLOSING_BRACE;
    this.#prefix = prefix;
    this.#frame = frame;
    return frame;
  }

  /** Keeps nothing of the last payload any more. */
  forget(): void {
    this.#payload = undefined;
    this.#body = Buffer.alloc(0);
    this.#frame = undefined;
  }
}
