// Bytes of a REST answer to a value.
import { type HttpAnswer, refuseStatus } from '../http/exchange.ts';
import { charsetOf, decodeText } from '../text-codec.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { xmlCharset } from '../xml/charset.ts';
import { parseXml, type XmlObject } from '../xml/parse.ts';

/**
 * The parsed JSON of an answer. No content, as of a 204 (https://www.rfc-editor.org/rfc/rfc9110#section-15.3.5), is an object
 * without a field.
 * @throws HubError by status; UPSTREAM_INVALID for HTML, another charset or anything that is not JSON
 */
export function decodeJsonAnswer(answer: HttpAnswer, sourceEncoding: string, context: CallContext): unknown {
  refuseStatus(answer, context);
  const details = { upstreamStatus: answer.status };
  if (answer.body.length === 0 && answer.status === 204) return {};
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

/**
 * The parsed XML of an answer: `{ <root element>: … }`. No content, as of a 204, is an object without a field.
 * @throws HubError by status; UPSTREAM_INVALID for HTML, another charset, a document type, too deep or too large a tree
 */
export function decodeXmlAnswer(answer: HttpAnswer, sourceEncoding: string, context: CallContext): XmlObject {
  refuseStatus(answer, context);
  const details = { upstreamStatus: answer.status };
  if (answer.body.length === 0 && answer.status === 204) return {};
  const charset = xmlCharset(answer.body, answer.contentType, sourceEncoding);
  const text = charset === undefined ? undefined : decodeText(answer.body, charset);
  if (text === undefined) {
    const message =
      charset === undefined ? 'expected a charset that is known' : `expected text in ${charset}`;
    throw upstreamError('UPSTREAM_INVALID', message, context, { ...details, charset: charset ?? 'unknown' });
  }
  if (/^\s*(?:<!doctype\s+html|<html[\s>])/i.test(text))
    throw upstreamError('UPSTREAM_INVALID', 'expected XML, got HTML', context, details);
  const parsed = parseXml(text);
  if (parsed.ok) return parsed.value;
  const more = parsed.limit === undefined ? details : { ...details, limit: parsed.limit };
  throw upstreamError('UPSTREAM_INVALID', parsed.problem, context, more);
}
