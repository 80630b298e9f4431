// One client's socket: what it has said of itself, what it runs, and how bytes leave for it.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';
import type { ClientIdentity } from '../observe/client-identity.ts';
import type { LivePayload } from '../subscribe/sink.ts';
import { type NextFrames, type NextMessages, textFrame, writeNextFrames } from './frames.ts';
import { Slab } from './slab.ts';

/** An operation of the connection, from its message `subscribe` on. */
export interface ConnectionOperation {
  /** Its client wants no more, or is gone. May be called twice. */
  stop(): void;
  /** Bytes have left. */
  flushed(): void;
  /** A subscription that runs; queries and mutations are begun with the authority that they had. */
  readonly isLive: boolean;
}

/** A close frame holds 125 bytes, two of them its code: https://www.rfc-editor.org/rfc/rfc6455#section-5.5 */
const CLOSE_REASON_BYTES_MAX = 123;

const NOTHING = Buffer.alloc(0);
/** Of frames of several operations that are written in one go. */
const GATHERED_BYTES_MAX = 65_536;
const slab = new Slab();

// A class, and nothing made before it is needed: there are thousands of them, and most are idle.
export class Connection {
  readonly socket: WebSocket;
  readonly stream: Duplex;
  /** Of the upgrade: those that are wanted later. */
  headers: ClientHeaders;
  readonly address: string;
  readonly openedAtMs: number = performance.now();
  /** `initialising` while the credentials are verified. */
  state: 'open' | 'initialising' | 'ready' = 'open';
  principal: Principal = ANONYMOUS;
  client: ClientIdentity | undefined;
  /** Whether the credentials have ended. */
  hasEnded = false;
  /** Ends what waits for the credentials to end. */
  unwatchEnd: (() => void) | undefined;
  endTimer: NodeJS.Timeout | undefined;
  /** Since the last ping nothing has come. */
  isSilent = false;
  pingedAtMs: number = this.openedAtMs;
  pings = 0;
  pingsSinceMs = 0;
  isRenewing = false;
  #operations: Map<string, ConnectionOperation> | undefined;
  #flushing: PromiseWithResolvers<void> | undefined;
  /** Frames that leave at the end of this turn, or before. */
  #gathered: (Buffer | NextMessages)[] | undefined;
  #gatheredBytes = 0;

  constructor(socket: WebSocket, stream: Duplex, headers: ClientHeaders, address: string) {
    this.socket = socket;
    this.stream = stream;
    this.headers = headers;
    this.address = address;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get operations(): ReadonlyMap<string, ConnectionOperation> {
    return this.#operations ?? NO_OPERATIONS;
  }

  add(id: string, operation: ConnectionOperation): void {
    this.#operations ??= new Map();
    this.#operations.set(id, operation);
  }

  /** Whether it was there. */
  remove(id: string, operation: ConnectionOperation): boolean {
    if (this.#operations?.get(id) !== operation) return false;
    this.#operations.delete(id);
    if (this.#operations.size === 0) this.#operations = undefined;
    return true;
  }

  send(message: object): void {
    this.write(textFrame(JSON.stringify(message)));
  }

  /** Never waits; what cannot be sent any more is dealt with when the socket closes. */
  write(frame: Buffer): void {
    if (!this.isOpen) return;
    if (this.#hasSeveral) this.#gather(frame);
    else {
      this.#writeGathered();
      this.#write(frame);
    }
  }

  /** The same for `next` messages of one of its operations, of which only the payloads are kept until they leave. */
  writeNext(frames: NextFrames, payloads: readonly LivePayload[], cursorMark: string, prefix: string): void {
    if (!this.isOpen) return;
    if (this.#hasSeveral) this.#gather(frames.messagesOf(payloads, cursorMark, prefix));
    else {
      this.#writeGathered();
      if (!this.#write(frames.framesOf(payloads, cursorMark, prefix))) frames.hold();
    }
  }

  /** One event may be of many operations of a client: their frames leave in one go. */
  get #hasSeveral(): boolean {
    return this.#operations !== undefined && this.#operations.size > 1;
  }

  /** That wait to leave. */
  get bufferedBytes(): number {
    return this.stream.writableLength + this.#gatheredBytes;
  }

  #gather(frame: Buffer | NextMessages): void {
    if (this.#gathered === undefined) {
      this.#gathered = [];
      process.nextTick(() => this.#writeGathered());
    }
    this.#gathered.push(frame);
    this.#gatheredBytes += frame.length;
    if (this.#gatheredBytes > GATHERED_BYTES_MAX) this.#writeGathered();
  }

  #writeGathered(): void {
    const frames = this.#gathered;
    if (frames === undefined) return;
    const length = this.#gatheredBytes;
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    if (!this.isOpen) return;
    const bytes = slab.take(length);
    let at = 0;
    for (const frame of frames) {
      if ('bodies' in frame) at = writeNextFrames(bytes, at, frame.prefix, frame.bodies);
      else at += frame.copy(bytes, at);
    }
    if (this.#write(bytes)) slab.giveBack(bytes);
  }

  /** Whether all has left: a socket's stream counts what the kernel did not take. */
  #write(bytes: Buffer): boolean {
    const { stream } = this;
    stream.write(bytes);
    if (stream.writableLength === 0) return true;
    void this.flushed();
    return false;
  }

  /** Resolves when all that was written has left, or the socket is gone; operations are told too. */
  flushed(): Promise<void> {
    this.#writeGathered();
    if (this.#flushing !== undefined) return this.#flushing.promise;
    const flushing = Promise.withResolvers<void>();
    this.#flushing = flushing;
    this.stream.write(NOTHING, () => {
      this.#flushing = undefined;
      flushing.resolve();
      for (const operation of this.operations.values()) operation.flushed();
    });
    return flushing.promise;
  }

  close(code: number, reason = ''): void {
    this.#writeGathered();
    if (this.isOpen) this.socket.close(code, cutCloseReason(reason));
  }

  /** Closes behind what was written: who was slow may still read it. One that reads nothing answers no ping either, and is cut off. */
  closeWhenFlushed(code: number, reason: string): void {
    void this.flushed().then(() => this.close(code, reason));
  }

  /** The socket is gone: all that it ran ends. */
  closed(): void {
    clearTimeout(this.endTimer);
    this.unwatchEnd?.();
    for (const operation of [...this.operations.values()]) operation.stop();
  }

  /** Whether it may ping once more in this second. */
  countPing(now: number, max: number): boolean {
    if (now - this.pingsSinceMs >= 1_000) {
      this.pingsSinceMs = now;
      this.pings = 0;
    }
    this.pings += 1;
    return this.pings <= max;
  }
}

const NO_OPERATIONS: ReadonlyMap<string, ConnectionOperation> = new Map();

/** As much of a reason as a close frame holds, in whole characters: `ws` throws at a longer one and the socket would stay open. */
export function cutCloseReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(CLOSE_REASON_BYTES_MAX));
  return reason.slice(0, read);
}
