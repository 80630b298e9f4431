// One request for an event stream, at the level of undici's dispatcher: what came, and the one reason for which it ended.
import type { HubError } from '@weft/core/errors';
import type { Dispatcher } from 'undici';
import { refusedAtConnect } from '../fetch/guarded-address.ts';
import { createEventStreamParser, type EventStreamParser } from './event-stream-parser.ts';
import type { UpstreamLimits } from './limits.ts';
import { invalidMessage, lostConnection, refusalOf } from './refusals.ts';

export interface StreamEvents {
  /** The head of an event stream has come. */
  onOpen(): void;
  onEvent(type: string, data: string): void;
  onRetry(delayMs: number): void;
  /** Instead of a stream: a GraphQL answer with errors. Nothing after it. */
  onErrors(errors: readonly unknown[]): void;
  /** Once, and nothing after it; not after `abort`. With `isRefused` it is not to be sent again. */
  onClosed(error: HubError, isRefused: boolean): void;
}

export interface StreamRequest {
  readonly dispatcher: Dispatcher;
  readonly system: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly limits: UpstreamLimits;
  /** Whether an earlier request like this one was answered with a stream. */
  readonly wasTaken: boolean;
  readonly events: StreamEvents;
}

export interface Opened {
  /** Of the last event that came whole. */
  readonly lastEventId: string | undefined;
  abort(): void;
}

export function openEventStream(request: StreamRequest): Opened {
  const handler = new StreamHandler(request);
  const { dispatcher, path, headers, body } = request;
  dispatcher.dispatch({ path, method: 'POST', headers: headers as string[], body }, handler);
  return handler;
}

const STREAM_TYPE = /^text\/event-stream\s*(?:;|$)/i;
/** `none` is no coding that is registered; graphql-sse's server says it all the same. */
const NO_CODING = /^\s*(?:identity|none)?\s*$/i;
const JSON_TYPE = /^application\/(?:json|graphql-response\+json)\s*(?:;|$)/i;

/** A first one opens many a stream; from a second one on, a server is expected to go on with it. */
const COMMENTS_MIN = 2;

class StreamHandler implements Dispatcher.DispatchHandler, Opened {
  readonly #request: StreamRequest;
  readonly #parser: EventStreamParser;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #comments = 0;
  /** An answer that is no stream. */
  #answer: { readonly status: number; readonly chunks: Buffer[]; bytes: number } | undefined;
  #isOpen = false;

  constructor(request: StreamRequest) {
    this.#request = request;
    const { limits, events, system } = request;
    this.#parser = createEventStreamParser(limits.messageBytesMax, {
      onEvent: ({ type, data }) => {
        if (!this.#isOver) events.onEvent(type, data);
      },
      onComment: () => {
        this.#comments += 1;
      },
      onRetry: (delayMs) => events.onRetry(delayMs),
    });
    this.#timer = setTimeout(
      () => this.#close(lostConnection(system, 'no head of an answer in time'), false),
      limits.handshakeTimeoutMs + limits.ackTimeoutMs,
    );
  }

  get lastEventId(): string | undefined {
    return this.#parser.lastEventId;
  }

  abort(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#controller?.abort(OVER);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(OVER);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200 || this.#isOver) return;
    const { system, events } = this.#request;
    const type = String(headers['content-type'] ?? '');
    const coding = String(headers['content-encoding'] ?? 'identity');
    if (!NO_CODING.test(coding)) {
      this.#close(invalidMessage(system, 'a content coding'), false);
      return;
    }
    if (status === 200 && STREAM_TYPE.test(type)) {
      this.#isOpen = true;
      this.#watchSilence();
      events.onOpen();
      return;
    }
    if (status < 500 && (status < 300 || status >= 400) && JSON_TYPE.test(type))
      this.#answer = { status, chunks: [], bytes: 0 };
    else this.#refuse(status);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    const { system, limits } = this.#request;
    if (this.#answer !== undefined) {
      this.#answer.bytes += chunk.length;
      this.#answer.chunks.push(chunk);
      if (this.#answer.bytes > limits.messageBytesMax) this.#refuse(this.#answer.status);
      return;
    }
    if (!this.#parser.push(chunk)) this.#close(invalidMessage(system, 'an event is too long'), false);
    else if (!this.#isOver) this.#watchSilence();
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    const { system, events } = this.#request;
    if (this.#answer === undefined) {
      this.#close(lostConnection(system, 'the stream ended'), false);
      return;
    }
    const errors = errorsIn(Buffer.concat(this.#answer.chunks).toString('utf8'));
    if (errors === undefined) {
      this.#refuse(this.#answer.status);
      return;
    }
    this.abort();
    events.onErrors(errors);
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const refused = refusedAtConnect(this.#request.system, cause);
    const why = this.#isOpen ? 'the stream broke off' : 'no connection';
    const lost = lostConnection(this.#request.system, why, cause);
    this.#close(refused ?? lost, refused !== undefined);
  }

  #watchSilence(): void {
    const { system, limits } = this.#request;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#close(lostConnection(system, 'it is silent'), false),
      this.#comments >= COMMENTS_MIN ? limits.commentedIdleTimeoutMs : limits.idleTimeoutMs,
    );
  }

  #refuse(status: number): void {
    const { system, wasTaken } = this.#request;
    const refusal = refusalOf(system, status, wasTaken);
    if (refusal !== undefined) {
      this.#close(refusal, true);
      return;
    }
    const isAnswer = status < 300;
    const error = isAnswer
      ? invalidMessage(system, 'not an event stream')
      : lostConnection(system, `HTTP ${status}`);
    // What answers something else was never a server of this protocol.
    this.#close(error, isAnswer && !wasTaken);
  }

  #close(error: HubError, isRefused: boolean): void {
    if (this.#isOver) return;
    this.abort();
    this.#request.events.onClosed(error, isRefused);
  }
}

/** The `errors` of a GraphQL answer; undefined when it has none. */
function errorsIn(text: string): readonly unknown[] | undefined {
  try {
    const answer = JSON.parse(text) as { readonly errors?: unknown } | null;
    return Array.isArray(answer?.errors) && answer.errors.length > 0 ? answer.errors : undefined;
  } catch {
    // Undefined says it: the text itself must go no further.
    return undefined;
  }
}

const OVER = new Error('no more of this stream is wanted');
