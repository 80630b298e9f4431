// Bytes of a SOAP answer to XML text that is safe to parse, and faults to errors.
import { type HttpAnswer, refuseStatus } from '../http/exchange.ts';
import type { SoapVersion } from '../plan.ts';
import { decodeText } from '../text-codec.ts';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { xmlCharset } from '../xml/charset.ts';
import { refuseXml } from '../xml/parse.ts';
import { readAttachments, resolveIncludes } from './attachments.ts';
import { faultOf } from './fault.ts';

const ENVELOPE = /^\s*(?:<\?xml[^>]*\?>)?\s*<(?:[A-Za-z_][\w.-]*:)?Envelope([\s>][^>]*)/;
export const ENVELOPE_NAMESPACES: Readonly<Record<SoapVersion, string>> = {
  SOAP_11: 'http://schemas.xmlsoap.org/soap/envelope/',
  SOAP_12: 'http://www.w3.org/2003/05/soap-envelope',
};

/**
 * The envelope's text, attachments put into their places as base64 (MTOM). A fault comes with HTTP 500 by SOAP 1.1
 * section 6.2 and with 400 or 500 by SOAP 1.2 part 2 section 7.4.2, and with 200 from some: it is looked for before the status counts.
 * @throws HubError UPSTREAM_UNAVAILABLE or UPSTREAM_INVALID; a fault's details hold its `faultCode`
 */
export function decodeEnvelope(
  answer: HttpAnswer,
  source: { readonly encoding: string; readonly version: SoapVersion },
  context: CallContext,
): string {
  const details = { upstreamStatus: answer.status };
  const { root, attachments } = readAttachments(answer, context);
  const charset = xmlCharset(root.body, root.contentType, source.encoding);
  const text = charset === undefined ? undefined : decodeText(root.body, charset);
  const refused = text === undefined ? undefined : refuseXml(text);
  if (text !== undefined && refused === undefined) {
    const fault = faultOf(text, answer.status, context);
    if (fault !== undefined) throw fault;
  }
  refuseStatus(answer, context);
  if (text === undefined) {
    const message =
      charset === undefined ? 'expected a charset that is known' : `expected text in ${charset}`;
    throw upstreamError('UPSTREAM_INVALID', message, context, { ...details, charset: charset ?? 'unknown' });
  }
  if (refused !== undefined) {
    const more = refused.limit === undefined ? details : { ...details, limit: refused.limit };
    throw upstreamError('UPSTREAM_INVALID', refused.problem, context, more);
  }
  const envelope = ENVELOPE.exec(text)?.[1];
  if (envelope === undefined) {
    throw upstreamError('UPSTREAM_INVALID', 'expected a SOAP envelope', context, details);
  }
  const other = source.version === 'SOAP_12' ? 'SOAP_11' : 'SOAP_12';
  if (envelope.includes(ENVELOPE_NAMESPACES[other])) {
    const message = `expected an envelope of ${source.version}, got one of ${other}`;
    throw upstreamError('UPSTREAM_INVALID', message, context, details);
  }
  return resolveIncludes(text, attachments, context);
}
