// SOAP faults of both versions as coded errors.
import type { HubError } from '@weft/core/errors';
import { type CallContext, upstreamError } from '../upstream-error.ts';
import { parseXml, type XmlObject, type XmlValue } from '../xml/parse.ts';

/** SOAP 1.1 section 4.4.1 and SOAP 1.2 part 1 section 5.4.6: what these blame is what we sent. */
const OURS = /^(?:Client|Sender|VersionMismatch|MustUnderstand|DataEncodingUnknown)(?:\.|$)/;
/** WS-Security 1.1 section 12, and what a failed log-in is called there. */
const CREDENTIALS =
  /^(?:FailedAuthentication|FailedCheck|InvalidSecurity|InvalidSecurityToken|SecurityTokenUnavailable|MessageExpired)$/;
const CODE = /^[^\s<>]{1,100}$/;

/**
 * The fault that the envelope holds as its body's child, undefined when there is none. Its reason and detail are the old
 * system's own words, which may repeat what was asked: they are neither sent nor logged.
 * @param text an envelope that has passed `refuseXml`
 */
export function faultOf(text: string, upstreamStatus: number, context: CallContext): HubError | undefined {
  if (!/<(?:[A-Za-z_][\w.-]*:)?Fault[\s>/]/.test(text)) return undefined;
  const parsed = parseXml(text);
  const body = parsed.ok ? asObject(asObject(parsed.value.Envelope)?.Body) : undefined;
  if (body === undefined || !Object.hasOwn(body, 'Fault')) return undefined;
  const fault = asObject(body.Fault);
  const code = asObject(fault?.Code);
  const faultCode = codeText(fault?.faultcode) ?? codeText(code?.Value) ?? 'unknown';
  const faultSubcode = codeText(asObject(code?.Subcode)?.Value);
  const details = { upstreamStatus, faultCode, ...(faultSubcode === undefined ? {} : { faultSubcode }) };
  const message = `answered with a fault (${faultSubcode ?? faultCode})`;
  if ([faultCode, faultSubcode ?? ''].some((name) => CREDENTIALS.test(localName(name)))) {
    const more = { ...details, reason: 'CREDENTIALS_REFUSED' };
    return upstreamError(
      'UPSTREAM_UNAVAILABLE',
      "the hub's credentials are refused",
      context,
      more,
      undefined,
      true,
    );
  }
  // What is ours was not processed.
  const isOurs = OURS.test(localName(faultCode));
  const blamed = isOurs ? 'UPSTREAM_INVALID' : 'UPSTREAM_UNAVAILABLE';
  return upstreamError(blamed, message, context, details, undefined, isOurs);
}

function asObject(value: XmlValue | undefined): XmlObject | undefined {
  const one = Array.isArray(value) ? (value as readonly XmlValue[])[0] : value;
  return typeof one === 'object' && one !== null && !Array.isArray(one) ? (one as XmlObject) : undefined;
}

/** A code is a qualified name, with or without attributes beside it; whatever else stands there is not repeated. */
function codeText(value: XmlValue | undefined): string | undefined {
  const text = typeof value === 'string' ? value : asObject(value)?._;
  return typeof text === 'string' && CODE.test(text) ? text : undefined;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
