// One HTTP response as the end of a live subscription: writes, and tells how much waits.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { HubError } from '@weft/core/errors';
import type { LivePayload, LiveSink } from '../subscribe/sink.ts';
import type { LiveFormat } from './formats.ts';
import type { LiveHttpLimits } from './limits.ts';
import type { NextTexts } from './next-texts.ts';

export interface ResponseSinkOptions {
  readonly response: ServerResponse;
  readonly format: LiveFormat;
  /** Shared by all streams. */
  readonly texts: NextTexts;
  /** Writes the head of an answer that is not to be refused any more. */
  begin(head: OutgoingHttpHeaders): void;
  readonly limits: LiveHttpLimits;
  /** As the client sees it. */
  showError(error: HubError): object;
  /** The principal's part of the cursors; known when the subscription was opened. */
  cursorMark(): string;
  /** What waited has left. */
  onDrained(): void;
  /** Each result, before it is written. */
  onNext(payload: LivePayload): void;
  /** The stream is over for the client, for this reason; undefined: by itself. */
  onEnd(error: HubError | undefined): void;
}

export interface ResponseSink extends LiveSink {
  /** Writes the head, unless that was done: from here on there is nothing to refuse any more. */
  begin(): void;
  readonly hasBegun: boolean;
  /** Ends a stream that goes on elsewhere: the client is asked to come back. */
  leave(error: HubError): void;
  /** Without another byte: the client is gone. */
  stop(): void;
}

export function createResponseSink(options: ResponseSinkOptions): ResponseSink {
  const { response, format, limits } = options;
  let state: 'opening' | 'begun' | 'over' = 'opening';
  let hasBegun = false;
  let wroteSinceBeat = false;
  let beat: NodeJS.Timeout | undefined;
  const write = (text: string) => {
    wroteSinceBeat = true;
    response.write(text);
  };
  const keepAlive = () => {
    if (!wroteSinceBeat) write(format.alive);
    wroteSinceBeat = false;
  };
  const over = (text: string, error: HubError | undefined) => {
    if (state === 'over') return;
    sink.stop();
    endWithin(response, text, limits.closeTimeoutMs);
    options.onEnd(error);
  };
  const end = (error: HubError | undefined) => {
    // What did not begin can still be refused with a status.
    if (state === 'opening' && error !== undefined) {
      sink.stop();
      return options.onEnd(error);
    }
    sink.begin();
    over(format.end(error === undefined ? undefined : [options.showError(error)]), error);
  };
  response.on('drain', () => {
    if (state === 'begun') options.onDrained();
  });
  const sink: ResponseSink = {
    get hasBegun() {
      return hasBegun;
    },
    get bufferedBytes() {
      return response.writableLength;
    },
    begin() {
      if (state !== 'opening') return;
      state = 'begun';
      hasBegun = true;
      options.begin(headOf(format));
      write(format.begin);
      const everyMs = format.name === 'sse' ? limits.keepAliveMs : limits.heartbeatMs;
      beat = setInterval(keepAlive, everyMs).unref();
    },
    next(payloads: readonly LivePayload[]) {
      if (state === 'over') return;
      sink.begin();
      const mark = options.cursorMark();
      for (const payload of payloads) options.onNext(payload);
      write(options.texts.textOf(format, payloads, mark));
    },
    end,
    leave(error) {
      sink.begin();
      const { retryMsMin, retryMsMax } = limits;
      // By chance: those who were here together must not come to the next gateway in one instant.
      const retryMs = Math.round(retryMsMin + Math.random() * (retryMsMax - retryMsMin));
      over(format.leave(retryMs, [options.showError(error)]), error);
    },
    stop() {
      state = 'over';
      clearInterval(beat);
    },
  };
  return sink;
}

function headOf({ contentType }: LiveFormat): OutgoingHttpHeaders {
  return {
    'content-type': contentType,
    'cache-control': 'no-store',
    // A stream's connection ends with it: a gateway that closes is not held open by it.
    connection: 'close',
    // Proxies that gather answers would hold the first event back.
    'x-accel-buffering': 'no',
  };
}

/** The last bytes leave in bounded time, or not at all. */
function endWithin(response: ServerResponse, text: string, timeoutMs: number): void {
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  response.once('close', () => clearTimeout(timer));
  response.end(text);
}
