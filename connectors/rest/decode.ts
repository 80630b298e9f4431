// Bytes of a REST answer to a value.
import { type HttpAnswer, refuseStatus } from '../http/exchange.ts';
import { charsetOf, decodeText } from '../text-codec.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';

/**
 * The parsed JSON of an answer.
 * @throws HubError by status; UPSTREAM_INVALID for HTML, another charset or anything that is not JSON
 */
export function decodeJsonAnswer(answer: HttpAnswer, sourceEncoding: string, context: CallContext): unknown {
  refuseStatus(answer, context);
  const details = { upstreamStatus: answer.status };
  const charset = charsetOf(answer.contentType, sourceEncoding);
  const text = decodeText(answer.body, charset);
  if (text === undefined) {
    throw upstreamError('UPSTREAM_INVALID', `expected text in ${charset}`, context, { ...details, charset });
  }
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const got = /^\s*</.test(text) ? 'markup' : 'other text';
    throw upstreamError('UPSTREAM_INVALID', `expected JSON, got ${got}`, context, details, thrown);
  }
}
