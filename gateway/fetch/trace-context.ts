// The W3C trace context of one fetch: the operation's trace, and a span of its own.

/**
 * @param traceId 32 hex digits
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceparent(traceId: string): string {
  return `00-${traceId}-${eightHexDigits()}${eightHexDigits()}-01`;
}

/** Ids need to differ, not to be secret: the cryptographic source costs ten times as much for each fetch. */
function eightHexDigits(): string {
  // At least 1, since a span id of zeros is not valid.
  return (Math.floor(Math.random() * 0xffff_ffff) + 1).toString(16).padStart(8, '0');
}
