// Attachments of SOAP messages by MTOM and XOP: parts of an answer into the envelope, elements of a request out of it.
import { randomUUID } from 'node:crypto';
import { HubError } from '@weft/core/errors';
import type { HttpAnswer } from '../http/exchange.ts';
import { type CallContext, unsendable, upstreamError } from '../upstream-error.ts';

/** Parts of one message, the envelope among them. */
const PARTS_MAX = 100;
const PART_HEADER_BYTES_MAX = 8_000;
const XOP_NAMESPACE = 'http://www.w3.org/2004/08/xop/include';

export interface Part {
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface Attached {
  /** The part with the envelope; the whole answer when it has no parts. */
  readonly root: Part;
  /** The other parts by Content-ID, without angle brackets. */
  readonly attachments: ReadonlyMap<string, Buffer>;
}

/**
 * Splits a multipart/related answer (RFC 2387); any other is its own root.
 * @throws HubError UPSTREAM_INVALID when its parts cannot be told apart
 */
export function readAttachments(answer: HttpAnswer, context: CallContext): Attached {
  const { contentType = '', body } = answer;
  if (!/^\s*multipart\/related\b/i.test(contentType))
    return { root: { contentType: answer.contentType, body }, attachments: new Map() };
  const boundary = parameterOf(contentType, 'boundary');
  const parts = boundary === undefined ? [] : splitParts(body, boundary);
  const start = parameterOf(contentType, 'start');
  const root = parts.find(({ id }) => start !== undefined && id === withoutBrackets(start)) ?? parts[0];
  if (root === undefined || parts.length > PARTS_MAX) {
    const details = { upstreamStatus: answer.status };
    const message = `expected 1 to ${PARTS_MAX} parts with an envelope`;
    throw upstreamError('UPSTREAM_INVALID', message, context, details);
  }
  const others = parts.filter((part) => part !== root);
  return { root, attachments: new Map(others.map((part) => [part.id, part.body])) };
}

/**
 * The envelope with each `xop:Include` replaced by its part as base64 text. A part is put in once, so that no answer
 * grows beyond a third more than its bytes.
 * @throws HubError UPSTREAM_INVALID for a part that is missing or named twice
 */
export function resolveIncludes(
  text: string,
  attachments: ReadonlyMap<string, Buffer>,
  context: CallContext,
): string {
  if (!text.includes(XOP_NAMESPACE)) return text;
  const used = new Set<string>();
  return text.replaceAll(
    /<(?:[\w.-]{1,100}:)?Include\s([^<>]{1,2000})>(?:\s{0,100}<\/(?:[\w.-]{1,100}:)?Include\s{0,10}>)?/g,
    (_whole, attributes: string) => {
      const id = contentId(/href\s*=\s*["']cid:([^"']{1,500})["']/.exec(attributes)?.[1]);
      const part = id === undefined || used.has(id) ? undefined : attachments.get(id);
      if (id === undefined || part === undefined) {
        const message = 'expected each attachment that the envelope names, once';
        throw upstreamError('UPSTREAM_INVALID', message, context);
      }
      used.add(id);
      return part.toString('base64');
    },
  );
}

export interface EncodedMessage {
  readonly body: Buffer;
  readonly contentType: string;
}

/**
 * A request whose elements of the given names travel as parts; the envelope as it is when it has none of them.
 * @param contentType of the envelope alone
 * @param encode the envelope's text to bytes
 * @throws HubError BAD_USER_INPUT when such an element holds something else than base64
 */
export function attachElements(
  xml: string,
  names: readonly string[],
  contentType: string,
  encode: (xml: string) => Buffer,
): EncodedMessage {
  const parts: { readonly id: string; readonly body: Buffer }[] = [];
  const cut = names.reduce((text, name) => {
    const element = new RegExp(
      `(<(?:[\\w.-]+:)?${name.replaceAll('.', '\\.')}(?:\\s[^<>]*)?>)([^<]+)(?=</)`,
      'gu',
    );
    return text.replaceAll(element, (_whole, open: string, content: string) => {
      const id = `${randomUUID()}@weft`;
      parts.push({ id, body: decodeBase64(content, name) });
      return `${open}<xop:Include xmlns:xop="${XOP_NAMESPACE}" href="cid:${id}"/>`;
    });
  }, xml);
  if (parts.length === 0) return { body: encode(xml), contentType };
  if (parts.length >= PARTS_MAX)
    throw new HubError('LIMIT_EXCEEDED', `a message has at most ${PARTS_MAX - 1} attachments`, {
      hadNoEffect: true,
    });
  return writeParts(encode(cut), parts, contentType);
}

/** SOAP Message Transmission Optimization Mechanism section 4, XOP section 4.1. */
function writeParts(
  envelope: Buffer,
  parts: readonly { readonly id: string; readonly body: Buffer }[],
  contentType: string,
): EncodedMessage {
  const boundary = `weft-${randomUUID()}`;
  const mediaType = (contentType.split(';')[0] ?? '').trim();
  const charset = parameterOf(contentType, 'charset') ?? 'UTF-8';
  const action = parameterOf(contentType, 'action');
  const chunks = [
    partHead(boundary, `application/xop+xml; charset=${charset}; type="${mediaType}"`, 'root@weft'),
    envelope,
    ...parts.flatMap(({ id, body }) => [partHead(boundary, 'application/octet-stream', id), body]),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ];
  const type = `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<root@weft>"`;
  return {
    body: Buffer.concat(chunks),
    contentType: `${type}; start-info="${mediaType}"${action === undefined ? '' : `; action="${action}"`}`,
  };
}

function partHead(boundary: string, contentType: string, id: string): Buffer {
  return Buffer.from(
    `\r\n--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}>\r\n\r\n`,
  );
}

function decodeBase64(content: string, name: string): Buffer {
  // The envelope's writer has escaped line ends.
  const text = content.replaceAll(/&#x[AD9];|\s/gi, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw unsendable(`expected base64 text in ${name}: it travels as an attachment`);
  }
  return Buffer.from(text, 'base64');
}

interface NamedPart extends Part {
  readonly id: string;
}

/** RFC 2046 section 5.1.1, over bytes that are all there. */
function splitParts(body: Buffer, boundary: string): readonly NamedPart[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: NamedPart[] = [];
  let at = body.indexOf(delimiter);
  while (at !== -1 && parts.length <= PARTS_MAX) {
    const start = at + delimiter.length;
    if (body.subarray(start, start + 2).toString('latin1') === '--') return parts;
    const end = body.indexOf(Buffer.from(`\r\n--${boundary}`), start);
    // A last part without its closing delimiter was cut off.
    if (end === -1) return [];
    const part = readPart(body.subarray(start, end));
    if (part !== undefined) parts.push(part);
    at = end + 2;
  }
  return parts.length > PARTS_MAX ? parts : [];
}

function readPart(bytes: Buffer): NamedPart | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1 || headEnd > PART_HEADER_BYTES_MAX) return undefined;
  const headers = new Map(
    bytes
      .subarray(0, headEnd)
      .toString('latin1')
      .replaceAll(/\r\n[ \t]+/g, ' ')
      .split('\r\n')
      .map((line) => [
        line.slice(0, line.indexOf(':')).trim().toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
  );
  const raw = bytes.subarray(headEnd + 4);
  const isBase64 = headers.get('content-transfer-encoding')?.toLowerCase() === 'base64';
  return {
    id: withoutBrackets(headers.get('content-id') ?? ''),
    contentType: headers.get('content-type'),
    body: isBase64 ? Buffer.from(raw.toString('latin1'), 'base64') : raw,
  };
}

function parameterOf(contentType: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^\\s;"]+))`, 'i').exec(contentType);
  return found?.[1] ?? found?.[2];
}

function withoutBrackets(id: string): string {
  return id.trim().replace(/^<|>$/g, '');
}

/** RFC 2392: percent-encoded in the address, plain in the header. */
function contentId(cid: string | undefined): string | undefined {
  try {
    return cid === undefined ? undefined : decodeURIComponent(cid);
  } catch {
    // Badly encoded: it names no part.
    return undefined;
  }
}
