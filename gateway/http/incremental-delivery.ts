// Answers in parts over HTTP: multipart/mixed as Apollo Client takes it, or server-sent events (graphql-sse, distinct connections mode).
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { ExecutionResult } from 'graphql';
import type { IncrementalExecution } from '../engine.ts';
import { acceptedRanges, isWholeType } from './media-type.ts';

export type IncrementalType = 'multipart/mixed' | 'text/event-stream';

/** The version of the response format, by its date (https://github.com/graphql/defer-stream-wg/discussions/69). */
const DEFER_SPEC = '20220824';

/**
 * The type with the highest quality, the first of equal ones; undefined when the client takes answers in one piece only, or
 * would rather have one.
 */
export function negotiateIncremental(accept: string | undefined): IncrementalType | undefined {
  let best: { readonly type: IncrementalType; readonly quality: number } | undefined;
  let wholeQuality = 0;
  for (const { type, parameters, quality } of acceptedRanges(accept)) {
    if (isWholeType(type)) wholeQuality = Math.max(wholeQuality, quality);
    else if (isIncrementalType(type, parameters) && quality > (best?.quality ?? 0)) best = { type, quality };
  }
  return best === undefined || best.quality < wholeQuality ? undefined : best.type;
}

function isIncrementalType(type: string, parameters: readonly string[]): type is IncrementalType {
  if (type === 'text/event-stream') return true;
  const spec = parameters.find((parameter) => parameter.startsWith('deferspec='));
  return type === 'multipart/mixed' && (spec === undefined || unquote(spec.slice(10)) === DEFER_SPEC);
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
 * Sends each part when it is there, and takes the next when the client's socket has taken the last. Never compressed: a
 * part would wait in the compressor for what follows it.
 * @param reply with its `vary`
 * @param drainTimeoutMs a client whose socket does not take a part for so long is cut off
 * @param onEnd called once, when all is sent or the client is gone
 */
export function sendParts(
  reply: FastifyReply,
  type: IncrementalType,
  result: ExecutionResult | IncrementalExecution,
  drainTimeoutMs: number,
  onEnd: () => void,
): FastifyReply {
  const parts = whileTaken(encodeParts(type, result), drainTimeoutMs, () => reply.raw.destroy());
  const stream = Readable.from(parts, { highWaterMark: 1 });
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
      .send(stream)
  );
}

async function* whileTaken(
  parts: AsyncGenerator<string, void, undefined>,
  drainTimeoutMs: number,
  onTimeout: () => void,
): AsyncGenerator<string, void, undefined> {
  for await (const part of parts) {
    const timer = setTimeout(onTimeout, drainTimeoutMs);
    try {
      yield part;
    } finally {
      clearTimeout(timer);
    }
  }
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
