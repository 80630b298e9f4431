// Answers in parts over HTTP: multipart/mixed as Apollo Client takes it, or server-sent events (graphql-sse, distinct connections mode).
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { ExecutionResult } from 'graphql';
import type { IncrementalExecution } from '../engine.ts';
import { acceptedRanges } from './media-type.ts';

export type IncrementalType = 'multipart/mixed' | 'text/event-stream';

/** The version of the response format, by its date (https://github.com/graphql/defer-stream-wg/discussions/69). */
const DEFER_SPEC = '20220824';

/** In the order of Accept; undefined when the client takes answers in one piece only. */
export function negotiateIncremental(accept: string | undefined): IncrementalType | undefined {
  for (const { type, parameters } of acceptedRanges(accept)) {
    if (type === 'text/event-stream') return type;
    const spec = parameters.find((parameter) => parameter.startsWith('deferspec='));
    if (type === 'multipart/mixed' && (spec === undefined || unquote(spec.slice(10)) === DEFER_SPEC))
      return type;
  }
  return undefined;
}

function unquote(text: string): string {
  return text.replace(/^"(.*)"$/, '$1');
}

/** Any boundary will do that no JSON text begins a line with; this one is what Apollo's servers send. */
const BOUNDARY = '-';

const HEADERS: Readonly<Record<IncrementalType, string>> = {
  'multipart/mixed': `multipart/mixed; boundary="${BOUNDARY}"; deferSpec=${DEFER_SPEC}`,
  'text/event-stream': 'text/event-stream; charset=utf-8',
};

/**
 * Sends each part when it is there, and takes the next when the client's socket has taken the last.
 * @param onEnd called once, when all is sent or the client is gone
 */
export function sendParts(
  reply: FastifyReply,
  type: IncrementalType,
  result: ExecutionResult | IncrementalExecution,
  onEnd: () => void,
): FastifyReply {
  const stream = Readable.from(encodeParts(type, result));
  stream.once('close', () => {
    // Not in the generator's `finally`: a client that leaves before the first part leaves one that was never begun.
    if ('subsequent' in result) void result.subsequent.return();
    onEnd();
  });
  return (
    reply
      .code(200)
      .header('content-type', HEADERS[type])
      .header('cache-control', 'no-store')
      // Proxies that gather answers would hold the first part back until the last is there.
      .header('x-accel-buffering', 'no')
      .header('vary', 'accept')
      .send(stream)
  );
}

async function* encodeParts(
  type: IncrementalType,
  result: ExecutionResult | IncrementalExecution,
): AsyncGenerator<string, void, undefined> {
  const { begin, part, end } = ENCODINGS[type];
  if (!('subsequent' in result)) {
    yield `${begin}${part(type === 'multipart/mixed' ? { ...result, hasNext: false } : result)}${end}`;
    return;
  }
  yield begin + part(result.initial);
  for await (const following of result.subsequent) yield part(following);
  yield end;
}

interface Encoding {
  readonly begin: string;
  part(result: object): string;
  readonly end: string;
}

const ENCODINGS: Readonly<Record<IncrementalType, Encoding>> = {
  // The delimiter behind a part goes with it: without it a client cannot know that the part is whole.
  'multipart/mixed': {
    begin: `\r\n--${BOUNDARY}`,
    part: (result) =>
      `\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${JSON.stringify(result)}\r\n--${BOUNDARY}`,
    end: '--\r\n',
  },
  // https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#distinct-connections-mode; JSON has no line breaks.
  'text/event-stream': {
    begin: '',
    part: (result) => `event: next\ndata: ${JSON.stringify(result)}\n\n`,
    end: 'event: complete\ndata:\n\n',
  },
};
