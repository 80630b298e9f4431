// The two forms of a live stream over HTTP: server-sent events (graphql-sse, distinct connections mode) and Apollo's multipart subscriptions.
import { acceptedRanges } from '../http/media-type.ts';

/** How results, and what stands between them, are written to a stream. */
export interface LiveFormat {
  readonly name: 'sse' | 'multipart';
  readonly contentType: string;
  /** Before all else. */
  readonly begin: string;
  /** Of an ExecutionResult as JSON, and the cursor behind it. */
  next(json: string, cursor: string | undefined): string;
  /** Keeps what is between client and gateway from taking the stream for dead. */
  readonly alive: string;
  /** The end of a stream: by itself, or with errors (GraphQL errors as they are shown). */
  end(errors: readonly object[] | undefined): string;
  /** The end of a stream that is to be had again, by whoever comes back after `retryMs`. */
  leave(retryMs: number, errors: readonly object[]): string;
}

/**
 * The form with the highest quality, the first of equal ones; what Accept says of answers in one piece does not count, since
 * a subscription has none. Undefined when the client takes neither form.
 */
export function negotiateLive(accept: string | undefined): LiveFormat | undefined {
  let best: { readonly format: LiveFormat; readonly quality: number } | undefined;
  for (const { type, parameters, quality } of acceptedRanges(accept)) {
    const format = formatOf(type, parameters);
    if (format !== undefined && quality > (best?.quality ?? 0)) best = { format, quality };
  }
  return best?.format;
}

/** `multipart/mixed` alone may be meant for `@defer`: who wants subscriptions in it names their specification. */
function formatOf(type: string, parameters: readonly string[]): LiveFormat | undefined {
  if (type === 'text/event-stream') return EVENT_STREAM;
  const spec = parameters.find((parameter) => parameter.startsWith('subscriptionspec='));
  return type === 'multipart/mixed' && spec !== undefined && /^"?1\.0"?$/.test(spec.slice(17))
    ? MULTIPART
    : undefined;
}

/**
 * A line break would end the field, and what follows it could be another event. JSON has none but as white space between its
 * tokens: text of a subgraph that is passed on may have it there.
 */
function oneLine(json: string): string {
  return json.includes('\n') || json.includes('\r') ? json.replaceAll(/[\r\n]/g, ' ') : json;
}

const next = (json: string) => `event: next\ndata: ${oneLine(json)}\n\n`;
// EventSource tells of no event without data.
const COMPLETE = 'event: complete\ndata:\n\n';

/**
 * https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#distinct-connections-mode and
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export const EVENT_STREAM: LiveFormat = {
  name: 'sse',
  contentType: 'text/event-stream; charset=utf-8',
  // Headers alone are held back by some proxies until there is a body.
  begin: ':\n\n',
  next: (json, cursor) => (cursor === undefined ? next(json) : `id: ${cursor}\n${next(json)}`),
  alive: ':\n\n',
  end: (errors) => (errors === undefined ? COMPLETE : next(JSON.stringify({ errors })) + COMPLETE),
  // Without `complete`: EventSource and graphql-sse take the end for a broken connection, and come back.
  leave: (retryMs) => `retry: ${retryMs}\n\n`,
};

const BOUNDARY = '\r\n--graphql';
/** The delimiter behind a part goes with it: without it a client cannot know that the part is whole. */
const part = (json: string) => `\r\ncontent-type: application/json\r\n\r\n${json}${BOUNDARY}`;
const last = (errors: readonly object[]) => part(JSON.stringify({ payload: null, errors }));

/** https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol */
export const MULTIPART: LiveFormat = {
  name: 'multipart',
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
  begin: BOUNDARY,
  next: (json) => part(`{"payload":${json}}`),
  alive: part('{}'),
  end: (errors) => `${errors === undefined ? '' : last(errors)}--\r\n`,
  // The protocol has no word for coming back: the client is told that it was not the subscription's end.
  leave: (_retryMs, errors) => `${last(errors)}--\r\n`,
};
