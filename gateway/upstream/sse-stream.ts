// One subscription over GraphQL over SSE, distinct connections mode: a POST whose answer does not end, sent again when it does.
import type { HubError } from '@weft/core/errors';
import type { Dispatcher } from 'undici';
import { REQUEST_TYPE } from '../fetch/signing.ts';
import { type BackOff, createBackOff } from './back-off.ts';
import type { ChannelEvents, UpstreamRequest } from './channel.ts';
import type { UpstreamLimits } from './limits.ts';
import { invalidMessage } from './refusals.ts';
import { type Opened, openEventStream } from './sse-request.ts';

export interface SseOptions {
  readonly dispatcher: Dispatcher;
  readonly request: UpstreamRequest;
  readonly events: ChannelEvents;
  readonly limits: UpstreamLimits;
  /** For one sending. */
  sign(body: string): readonly string[];
  /** Told when the subscription is over, or nobody wants it any more. */
  onIdle(): void;
}

/** The returned function ends it, and tells nobody. */
export function openSseStream(options: SseOptions): () => void {
  const stream = new SseStream(options);
  stream.connect();
  return () => stream.leave();
}

class SseStream {
  readonly #options: SseOptions;
  readonly #backOff: BackOff;
  readonly #body: string;
  #opened: Opened | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #lastEventId: string | undefined;
  #wasTaken = false;
  #isOver = false;

  constructor(options: SseOptions) {
    this.#options = options;
    this.#backOff = createBackOff(options.limits);
    const { document, operationName, variables } = options.request;
    this.#body = JSON.stringify({ query: document, operationName, variables });
  }

  connect(): void {
    const { dispatcher, request, limits } = this.#options;
    const { events } = this.#options;
    this.#opened = openEventStream({
      dispatcher,
      system: request.system,
      path: pathOf(request.url),
      headers: this.#headers(),
      body: this.#body,
      limits,
      wasTaken: this.#wasTaken,
      events: {
        onOpen: () => {
          this.#wasTaken = true;
          this.#backOff.established();
          events.onEstablished();
        },
        onEvent: (type, data) => this.#take(type, data),
        onRetry: (delayMs) => this.#backOff.atLeast(delayMs),
        onErrors: (errors) => {
          if (this.#end()) events.onErrors(errors);
        },
        onClosed: (error, isRefused) => this.#closed(error, isRefused),
      },
    });
  }

  leave(): void {
    this.#end();
  }

  #headers(): readonly string[] {
    const { request, sign } = this.#options;
    return [
      'content-type',
      REQUEST_TYPE,
      'accept',
      'text/event-stream',
      ...(this.#lastEventId === undefined ? [] : ['last-event-id', this.#lastEventId]),
      ...request.headers,
      ...sign(this.#body),
    ];
  }

  #take(type: string, data: string): void {
    const { events, request } = this.#options;
    if (type === 'complete') {
      if (this.#end()) events.onEnd(undefined);
      return;
    }
    // The protocol has no other: what it gets later is not for us.
    if (type !== 'next') return;
    const payload = parse(data);
    const errors = requestErrors(payload);
    if (errors !== undefined) {
      if (this.#end()) events.onErrors(errors);
      return;
    }
    if (payload !== undefined) {
      events.onResult(payload);
      return;
    }
    this.#opened?.abort();
    this.#closed(invalidMessage(request.system, 'an event that is not JSON'), false);
  }

  #closed(error: HubError, isRefused: boolean): void {
    if (this.#isOver) return;
    this.#lastEventId = this.#opened?.lastEventId ?? this.#lastEventId;
    this.#opened = undefined;
    const { events } = this.#options;
    if (isRefused) {
      this.#end();
      events.onEnd(error);
      return;
    }
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.connect();
    }, this.#backOff.nextDelayMs());
    events.onLost(error);
  }

  /** Whether it had not been over. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#retryTimer);
    this.#opened?.abort();
    this.#opened = undefined;
    this.#options.onIdle();
    return true;
  }
}

/**
 * Of a result without `data`: the request itself failed (GraphQL 2025-09, 7.1.2). The protocol has no message for that, as
 * graphql-transport-ws has `error`.
 */
function requestErrors(payload: unknown): readonly unknown[] | undefined {
  if (typeof payload !== 'object' || payload === null || 'data' in payload) return undefined;
  const { errors } = payload as { readonly errors?: unknown };
  return Array.isArray(errors) && errors.length > 0 ? errors : undefined;
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    // Undefined says it: JSON has no such value, and the text itself must go no further.
    return undefined;
  }
}
