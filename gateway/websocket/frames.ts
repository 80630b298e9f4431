// Text frames of a server: RFC 6455, 5.2. Written here, since one text is sent to thousands.
import { areSame, type LivePayload } from '../subscribe/sink.ts';
import { Slab } from './slab.ts';

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

/** Writes the header of a text frame. @returns where its payload begins */
function writeHeader(bytes: Buffer, at: number, payloadBytes: number): number {
  bytes[at] = FINAL_TEXT;
  const length = headerBytes(payloadBytes);
  if (length === 2) bytes[at + 1] = payloadBytes;
  else if (length === 4) {
    bytes[at + 1] = LENGTH_16;
    bytes.writeUInt16BE(payloadBytes, at + 2);
  } else {
    bytes[at + 1] = LENGTH_64;
    bytes.writeBigUInt64BE(BigInt(payloadBytes), at + 2);
  }
  return at + length;
}

/** One message, whole. */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headerBytes(bytes) + bytes);
  frame.write(text, writeHeader(frame, 0, bytes), 'utf8');
  return frame;
}

/** The start of every `next` message of an operation. */
export function nextPrefix(id: string): string {
  return `{"id":${JSON.stringify(id)},"type":"next","payload":`;
}

const CLOSING_BRACE = 0x7d;

/** `next` messages of an operation that are written later, with what else leaves then. */
export interface NextMessages {
  /** Of the operation; see `nextPrefix`. */
  readonly prefix: string;
  /** Payloads as UTF-8, a message each. */
  readonly bodies: readonly Buffer[];
  /** Of their frames. */
  readonly length: number;
}

/**
 * Writes `next` messages. Payloads are encoded once for all of equal mark that follow each other, and their frames are shared by
 * all of these whose ids are equal too: a group is served in one go.
 */
export class NextFrames {
  readonly #slab = new Slab();
  #payloads: readonly LivePayload[] = [];
  #mark = '';
  #bodies: readonly Buffer[] = [];
  #prefix = '';
  #frames: Buffer | undefined;
  #isHeld = false;

  /** @param payloads in order; a message each */
  messagesOf(payloads: readonly LivePayload[], cursorMark: string, prefix: string): NextMessages {
    const bodies = this.#encode(payloads, cursorMark);
    return { prefix, bodies, length: framesBytes(prefix, bodies) };
  }

  /**
   * @param payloads in order; a frame each, one behind the other
   * @returns bytes that stand until the next call; for good once `hold` was called
   */
  framesOf(payloads: readonly LivePayload[], cursorMark: string, prefix: string): Buffer {
    const bodies = this.#encode(payloads, cursorMark);
    if (this.#frames !== undefined && prefix === this.#prefix) return this.#frames;
    this.#forgetFrames();
    this.#prefix = prefix;
    this.#frames = this.#slab.take(framesBytes(prefix, bodies));
    writeNextFrames(this.#frames, 0, prefix, bodies);
    return this.#frames;
  }

  /** The last frames are still to be read. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Keeps nothing of the last payloads any more. */
  forget(): void {
    this.#payloads = [];
    this.#bodies = [];
    this.#forgetFrames();
  }

  #encode(payloads: readonly LivePayload[], cursorMark: string): readonly Buffer[] {
    if (areSame(payloads, this.#payloads) && cursorMark === this.#mark) return this.#bodies;
    this.forget();
    this.#payloads = payloads;
    this.#mark = cursorMark;
    this.#bodies = payloads.map((payload) => Buffer.from(payload.json(cursorMark)));
    return this.#bodies;
  }

  #forgetFrames(): void {
    if (this.#frames !== undefined && !this.#isHeld) this.#slab.giveBack(this.#frames);
    this.#frames = undefined;
    this.#isHeld = false;
  }
}

function framesBytes(prefix: string, bodies: readonly Buffer[]): number {
  const aroundBytes = Buffer.byteLength(prefix) + 1;
  let bytes = 0;
  for (const { length } of bodies) bytes += headerBytes(aroundBytes + length) + aroundBytes + length;
  return bytes;
}

/**
 * Writes what `framesOf` gives into other memory.
 * @param bodies as of `NextMessages`
 * @returns where the frames end
 */
export function writeNextFrames(
  bytes: Buffer,
  start: number,
  prefix: string,
  bodies: readonly Buffer[],
): number {
  const aroundBytes = Buffer.byteLength(prefix) + 1;
  let at = start;
  for (const body of bodies) {
    at = writeHeader(bytes, at, aroundBytes + body.length);
    at += bytes.write(prefix, at, 'utf8');
    at += body.copy(bytes, at);
    bytes[at] = CLOSING_BRACE;
    at += 1;
  }
  return at;
}
