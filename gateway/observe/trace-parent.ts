// The W3C trace context that a request comes with (https://www.w3.org/TR/trace-context/#traceparent-header).

export interface TraceParent {
  /** 32 hex digits: the client's, or new. */
  readonly traceId: string;
  /** The client's span, 16 hex digits; undefined when the trace begins here. */
  readonly spanId: string | undefined;
  /** Whether the client records its part; undefined when the trace begins here. */
  readonly isSampled: boolean | undefined;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;
const SAMPLED_FLAG = 1;

export function readTraceParent(header: string | readonly string[] | undefined): TraceParent {
  const parts = typeof header === 'string' ? TRACEPARENT.exec(header) : null;
  const [, traceId, spanId, flags] = parts ?? [];
  if (traceId === undefined) return { traceId: newTraceId(), spanId: undefined, isSampled: undefined };
  const isSampled = (Number.parseInt(flags ?? '0', 16) & SAMPLED_FLAG) === SAMPLED_FLAG;
  return { traceId, spanId, isSampled };
}

/** 32 hex digits. Ids need to differ, not to be secret: the cryptographic source costs twice as much. */
export function newTraceId(): string {
  return newSpanId() + newSpanId();
}

/** 16 hex digits, of the same source. */
export function newSpanId(): string {
  return eightHexDigits() + eightHexDigits();
}

function eightHexDigits(): string {
  // At least 1, since a span id of zeros is not valid.
  const number = Math.floor(Math.random() * 0xffff_ffff) + 1;
  return `${HEX[number >>> 24]}${HEX[(number >>> 16) & 0xff]}${HEX[(number >>> 8) & 0xff]}${HEX[number & 0xff]}`;
}

/** Looked up rather than written out: every request has four times eight digits of its own, and eight with each fetch. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
