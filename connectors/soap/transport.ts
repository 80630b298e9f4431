// The soap library's way to the wire, replaced by ours: charset, attachments, limits, log-in, correlation.
import type { IHttpClient } from 'soap';
import type { HttpChannel } from '../http/channel.ts';
import type { SoapSource, SoapVersion } from '../plan.ts';
import type { CallOptions } from '../source-client.ts';
import { encodeText } from '../text-codec.ts';
import { type CallContext, unsendable } from '../upstream-error.ts';
import { refuseForbidden, withReferences } from '../xml/write.ts';
import { attachElements } from './attachments.ts';
import { decodeEnvelope, ENVELOPE_NAMESPACES } from './decode.ts';

/** What travels from `call` to the transport through the soap library's request options. */
export interface ExchangeOptions extends CallOptions {
  readonly context: CallContext;
  readonly attach: readonly string[];
}

/** Sends the library's envelopes through `channel`. */
export function soapTransport(channel: HttpChannel, source: SoapSource, version: SoapVersion): IHttpClient {
  const send = async (
    url: string,
    xml: string,
    headers: Readonly<Record<string, string>>,
    options: ExchangeOptions,
  ) => {
    const { pathname, search } = new URL(url);
    const { 'Content-Type': contentType, ...others } = headers;
    const message = encodeMessage(xml, contentType ?? '', options.attach, source.encoding);
    const request = {
      method: 'POST',
      path: pathname + search,
      body: message.body,
      headers: { ...others, 'content-type': message.contentType },
    } as const;
    const answer = await channel.send(request, options, options.context);
    const text = decodeEnvelope(answer, { encoding: source.encoding, version }, options.context);
    return { status: answer.status, text: version === 'SOAP_12' ? asSoap11(text) : text };
  };
  const request: IHttpClient['request'] = (url, xml, callback, headers, options) => {
    const sent = send(String(url), String(xml), headers ?? {}, options as unknown as ExchangeOptions);
    sent
      .then((answer) => callback(null, { status: answer.status, headers: {} }, answer.text))
      .catch((thrown: unknown) => callback(thrown));
    // The library awaits the callback alone; its type asks for axios' promise.
    return undefined as unknown as ReturnType<IHttpClient['request']>;
  };
  return { request };
}

function encodeMessage(xml: string, contentType: string, attach: readonly string[], encoding: string) {
  const charset = encoding.toUpperCase();
  const text = withoutMarks(xml).replace('encoding="utf-8"', `encoding="${charset}"`);
  return attachElements(
    text,
    attach,
    contentType.replace('charset=utf-8', `charset=${charset}`),
    (envelope) => encodeText(withReferences(envelope, encoding), encoding),
  );
}

/** The library finds the type of a body's content only in an envelope of SOAP 1.1; the content is the same. */
function asSoap11(text: string): string {
  return text.replaceAll(ENVELOPE_NAMESPACES.SOAP_12, ENVELOPE_NAMESPACES.SOAP_11);
}

/** Stands before what the library would take for markup; of the private use area, and taken out of the envelope again. */
const MARK = '\uE0C0\uE0C1';
const NAME = /^[\p{L}_][\p{L}\p{N}_.:-]*$/u;
const DEPTH_MAX = 32;

/**
 * An operation's input in which nothing is markup: the library passes on text that looks like a CDATA section, and
 * fields called `$xml`, as they are.
 * @throws HubError BAD_USER_INPUT for characters and names that XML cannot hold
 */
export function withoutMarkup(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    refuseForbidden(value);
    const text = value.replaceAll(MARK, '');
    return text.startsWith('<![CDATA[') ? MARK + text : text;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) throw unsendable(`expected at most ${DEPTH_MAX} levels of input`);
  if (Array.isArray(value)) return value.map((one) => withoutMarkup(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, content]) => {
      if (name !== '$value' && !NAME.test(name))
        throw unsendable('expected names that XML elements can have');
      return [name, withoutMarkup(content, depth + 1)];
    }),
  );
}

function withoutMarks(xml: string): string {
  return xml.replaceAll(MARK, '');
}
