// The W3C trace context of one fetch: the operation's trace, and a span of its own.
import { newSpanId } from '../observe/trace-parent.ts';

/**
 * @param traceId 32 hex digits
 * @param spanId 16 hex digits; a new one unless the fetch was noted
 * @param isSampled whether the span is recorded, which subgraphs may follow
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceparent(traceId: string, spanId = newSpanId(), isSampled = true): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
