// Bytes of a SOAP answer to XML text that is safe to parse, and faults to errors.
import type { HubError } from '@weft/core/errors';
import { type HttpAnswer, refuseStatus } from '../http/exchange.ts';
import { charsetOf, decodeText } from '../text-codec.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';

/** Elements within one another, at the most: a deeper envelope is an attack or a mistake. */
const DEPTH_MAX = 64;
const FAULT = /<(?:[A-Za-z_][\w.-]*:)?Fault[\s>/]/;

/**
 * The envelope's text. A fault comes with HTTP 500 by SOAP 1.1 section 6.2, so it is looked for before the status counts.
 * @throws HubError UPSTREAM_UNAVAILABLE or UPSTREAM_INVALID; a fault's details hold its `faultCode`
 */
export function decodeEnvelope(answer: HttpAnswer, sourceEncoding: string, context: CallContext): string {
  const details = { upstreamStatus: answer.status };
  const charset = charsetOf(answer.contentType, sourceEncoding);
  const text = decodeText(answer.body, charset);
  if (text !== undefined && FAULT.test(text) && /Envelope[\s>]/.test(text))
    throw faultError(text, answer.status, context);
  refuseStatus(answer, context);
  if (text === undefined) {
    throw upstreamError('UPSTREAM_INVALID', `expected text in ${charset}`, context, { ...details, charset });
  }
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) {
    throw upstreamError('UPSTREAM_INVALID', 'expected an envelope without a document type', context, details);
  }
  if (!/^\s*(?:<\?xml[^>]*\?>)?\s*<(?:[A-Za-z_][\w.-]*:)?Envelope[\s>]/.test(text)) {
    throw upstreamError('UPSTREAM_INVALID', 'expected a SOAP envelope', context, details);
  }
  if (depthOf(text) > DEPTH_MAX) {
    throw upstreamError('UPSTREAM_INVALID', `expected at most ${DEPTH_MAX} levels of elements`, context, {
      ...details,
      limit: 'DEPTH_MAX',
    });
  }
  return text;
}

function depthOf(xml: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [tag] of xml.matchAll(/<[A-Za-z/][^>]*>/g)) {
    if (tag.startsWith('</')) depth -= 1;
    else if (!tag.endsWith('/>')) deepest = Math.max(deepest, ++depth);
  }
  return deepest;
}

/** `Client` faults say that what we sent is wrong, all others that the system has a trouble of its own. */
function faultError(xml: string, upstreamStatus: number, context: CallContext): HubError {
  const faultCode =
    /<faultcode[^>]*>\s*([^<\s]{1,100})\s*</.exec(xml)?.[1] ??
    /<(?:[\w.-]+:)?Value[^>]*>\s*([^<\s]{1,100})\s*</.exec(xml)?.[1] ??
    'unknown';
  const isOurs = /(?:^|:)(?:Client|Sender)/.test(faultCode);
  return upstreamError(
    isOurs ? 'UPSTREAM_INVALID' : 'UPSTREAM_UNAVAILABLE',
    `answered with a fault (${faultCode})`,
    context,
    { upstreamStatus, faultCode },
    undefined,
    // The body was not processed (SOAP 1.1 section 4.4.1, SOAP 1.2 part 1 section 5.4.6).
    isOurs,
  );
}
