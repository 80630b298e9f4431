// One HTTP request to a subgraph and its bounded answer, at the level of undici's dispatcher: no stream, no copy, no promise per chunk.
import { HubError } from '@weft/core/errors';
import type { Dispatcher } from 'undici';
import { type ContentCoding, inflate, readContentCoding } from './content-coding.ts';
import type { Stopper } from './stopper.ts';
import type { System } from './system.ts';

export type Exchanged =
  | {
      readonly kind: 'received';
      readonly status: number;
      /** Emptied by whoever has read it: the promise that brought it may be kept longer. */
      text: string;
      /** Of the body as it came. */
      readonly bytes: number;
      readonly mayAskAgain: boolean;
    }
  /** The answer came and must not be used. */
  | { readonly kind: 'refused'; readonly error: HubError }
  /** The network's failure; `isAnswering` when the head of an answer was already there. */
  | {
      readonly kind: 'broken';
      readonly cause: Error;
      readonly wasSent: boolean;
      readonly isAnswering: boolean;
    }
  /** By its stopper; `wasSent` when the subgraph may have it. */
  | { readonly kind: 'stopped'; readonly wasSent: boolean };

/** Never rejects. The socket is destroyed unless the answer was read to its end. */
export function exchange(
  system: System,
  headers: readonly string[],
  body: Buffer,
  stopper: Stopper,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const handler = new ExchangeHandler(system, stopper, resolve);
    stopper.onStop = () => handler.stop();
    system.pool.dispatch({ path: system.path, method: 'POST', headers: headers as string[], body }, handler);
  });
}

/**
 * What waits long is moved to V8's old space, and what an object there refers to is kept until all of the heap is collected, whether
 * or not the object is dead. An exchange that waited and is over must refer to nothing that came with its answer.
 */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #system: System;
  readonly #stopper: Stopper;
  /** Until it is settled. */
  #resolve: ((exchanged: Exchanged) => void) | undefined;
  /** From its beginning until it is settled. */
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #coding: ContentCoding = 'identity';
  #mayAskAgain = true;
  #bytes = 0;
  #first: Buffer | undefined;
  #chunks: Buffer[] | undefined;

  constructor(system: System, stopper: Stopper, resolve: (exchanged: Exchanged) => void) {
    this.#system = system;
    this.#stopper = stopper;
    this.#resolve = resolve;
  }

  stop(): void {
    const controller = this.#controller;
    this.#end({ kind: 'stopped', wasSent: controller !== undefined });
    controller?.abort(STOPPED);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isSettled) controller.abort(STOPPED);
    else this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // Read already, and pieces of the memory that the socket was read into, in an array that is as old as the answer before this one.
    if (Array.isArray(controller.rawHeaders)) controller.rawHeaders.length = 0;
    controller.rawHeaders = null;
    if (status < 200) return;
    this.#status = status;
    this.#mayAskAgain = headers['retry-after'] === undefined;
    const coding = readContentCoding(headers['content-encoding']);
    if (coding === undefined)
      this.#refuse('its content coding is none of gzip, deflate and br, or more than one');
    else this.#coding = coding;
    if (Number(headers['content-length'] ?? 0) > this.#system.limits.responseBytesMax) this.#refuseSize();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#system.limits.responseBytesMax) this.#refuseSize();
    else if (this.#first === undefined) this.#first = chunk;
    else if (this.#chunks === undefined) this.#chunks = [this.#first, chunk];
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#isSettled) return;
    const first = this.#first;
    const chunks = this.#chunks;
    if (first === undefined) this.#receive('');
    else if (this.#coding === 'identity') this.#receive(textOf(first, chunks, this.#bytes));
    else this.#inflate(this.#coding, chunks === undefined ? first : Buffer.concat(chunks, this.#bytes));
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const wasSent = this.#controller !== undefined;
    this.#end({ kind: 'broken', cause, wasSent, isAnswering: this.#status !== 0 });
  }

  #inflate(coding: Exclude<ContentCoding, 'identity'>, body: Buffer): void {
    const { limits } = this.#system;
    inflate(coding, body, limits.responseBytesMax, (inflated) => {
      switch (inflated.kind) {
        case 'bytes':
          return this.#receive(inflated.bytes.toString('utf8'));
        case 'too-large':
          return this.#refuseSize();
        case 'damaged':
          return this.#refuse(`its ${coding} coding is damaged`);
        default:
          inflated satisfies never;
      }
    });
  }

  #receive(text: string): void {
    const mayAskAgain = this.#mayAskAgain;
    this.#end({ kind: 'received', status: this.#status, text, bytes: this.#bytes, mayAskAgain });
  }

  #refuseSize(): void {
    const { name, limits } = this.#system;
    const message = `${name} answered with more than ${limits.responseBytesMax} bytes`;
    const details = { limit: 'responseBytesMax' };
    this.#breakOff(new HubError('UPSTREAM_INVALID', message, { system: name, details }));
  }

  #refuse(why: string): void {
    const system = this.#system.name;
    const message = `${system} answered with something that cannot be used (${why})`;
    this.#breakOff(new HubError('UPSTREAM_INVALID', message, { system }));
  }

  #breakOff(error: HubError): void {
    const controller = this.#controller;
    this.#end({ kind: 'refused', error });
    controller?.abort(error);
  }

  #end(exchanged: Exchanged): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#stopper.onStop = undefined;
    this.#resolve = undefined;
    this.#controller = undefined;
    this.#first = undefined;
    this.#chunks = undefined;
    resolve(exchanged);
  }

  get #isSettled(): boolean {
    return this.#resolve === undefined;
  }
}

/** Where the parts of an answer are put together to be decoded, which is done at once; a longer one has memory of its own. */
const SCRATCH_BYTES = 262_144;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

function textOf(first: Buffer, chunks: readonly Buffer[] | undefined, bytes: number): string {
  if (chunks === undefined) return first.toString('utf8');
  if (bytes > SCRATCH_BYTES) return Buffer.concat(chunks, bytes).toString('utf8');
  let end = 0;
  for (const chunk of chunks) end += chunk.copy(scratch, end);
  return scratch.toString('utf8', 0, end);
}

const STOPPED = new HubError('CANCELLED', 'The operation was cancelled.');
