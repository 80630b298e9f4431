// Bodies of messages: JSON in the source's charset, both ways.
import type { Mapping, MappingScope } from '@weft/schema/mapping/compile';
import { charsetOf, decodeText, encodeText } from '../text-codec.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';

/** What a call sends; no body is no bytes. */
export function encodeBody(body: Mapping | undefined, scope: MappingScope, encoding: string): Buffer {
  return body === undefined ? Buffer.alloc(0) : encodeText(JSON.stringify(body.evaluate(scope)), encoding);
}

/** The content type of what `encodeBody` gives. */
export function contentTypeOf(encoding: string): string {
  return `application/json; charset=${encoding}`;
}

export interface Answer {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
}

/**
 * The parsed JSON of an answer.
 * @throws HubError UPSTREAM_INVALID when it is too long, in another charset or no JSON; what it says is not repeated
 */
export function decodeAnswer(
  answer: Answer,
  encoding: string,
  bytesMax: number,
  context: CallContext,
): unknown {
  if (answer.body.byteLength > bytesMax) {
    throw upstreamError('UPSTREAM_INVALID', `expected at most ${bytesMax} bytes`, context, {
      limit: 'maxResponseBytes',
    });
  }
  const charset = charsetOf(answer.contentType, encoding);
  const text = decodeText(answer.body, charset);
  if (text === undefined)
    throw upstreamError('UPSTREAM_INVALID', `expected text in ${charset}`, context, { charset });
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw upstreamError('UPSTREAM_INVALID', 'expected JSON, got other text', context, {}, thrown);
  }
}
